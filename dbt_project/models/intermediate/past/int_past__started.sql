-- The surveys begun on the last days as each night saw them, finished or not.
with

    nights as (
        select account_id, as_of_date, max(restatement_days) as restatement_days
        from {{ ref("int_past__nights") }}
        where kpi_id = 'C05'
        group by account_id, as_of_date
    ),

    finished as (
        {{
            versions(
                "typeform__responses",
                ["form_id", "response_token"],
                ["landed_at"],
                since="landed_at",
            )
        }}
    ),

    unfinished as (
        {{
            versions(
                "typeform__partial_responses",
                ["form_id", "response_token"],
                ["landed_at"],
                since="landed_at",
            )
        }}
    ),

    versions as (
        select *, true as is_finished
        from finished
        union all
        select *, false as is_finished
        from unfinished
    ),

    dated as (select *, {{ business_date("landed_at") }} as landed_date from versions),

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
