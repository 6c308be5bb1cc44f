-- The surveys begun on the last days as each night saw them, finished or not.
with

    nights as (
        select account_id, as_of_date, max(restatement_days) as restatement_days
        from {{ ref("int_past__nights") }}
        where kpi_id = 'C05'
        group by account_id, as_of_date
    ),

    versions as (
        select
            _account as account_id,
            form_id,
            response_token,
            landed_at,
            true as is_finished,
            _is_deleted as is_deleted,
            _was_there as was_there,
            _until as known_until
        from {{ source("past", "typeform__responses") }}
        where _until > {{ first_learned_night() }}
        union all
        select
            account_id,
            form_id,
            response_token,
            landed_at,
            true as is_finished,
            is_deleted,
            true as was_there,
            date '9999-12-31' as known_until
        from {{ ref("stg_typeform__responses") }}
        where landed_at >= cast({{ first_learned_night() }} - 100 as timestamp) at time zone 'UTC'
        union all
        select
            _account as account_id,
            form_id,
            response_token,
            landed_at,
            false as is_finished,
            _is_deleted as is_deleted,
            _was_there as was_there,
            _until as known_until
        from {{ source("past", "typeform__partial_responses") }}
        where _until > {{ first_learned_night() }}
        union all
        select
            account_id,
            form_id,
            response_token,
            landed_at,
            false as is_finished,
            is_deleted,
            true as was_there,
            date '9999-12-31' as known_until
        from {{ ref("stg_typeform__partial_responses") }}
        where landed_at >= cast({{ first_learned_night() }} - 100 as timestamp) at time zone 'UTC'
    ),

    dated as (
        select
            *,
            {{ known_from("account_id, form_id, response_token, is_finished") }} as known_from,
            {{ business_date("landed_at") }} as landed_date
        from versions
    ),

    seen as (
        select
            nights.as_of_date,
            dated.account_id,
            dated.form_id,
            dated.response_token,
            dated.landed_date,
            dated.is_finished
        from dated
        inner join
            nights
            on dated.account_id = nights.account_id
            and {{ seen_on("nights.as_of_date", "dated") }}
            and dated.landed_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
        where dated.was_there and not dated.is_deleted
        qualify
            row_number() over (
                partition by
                    nights.as_of_date, dated.account_id, dated.form_id, dated.response_token
                order by dated.is_finished desc, dated.landed_at
            )
            = 1
    ),

    started as (
        select seen.*, forms.survey_kind
        from seen
        inner join {{ ref("survey_forms") }} as forms on seen.form_id = forms.form_id
    )

select *
from started
