with
    forms as (select * from {{ ref("survey_forms") }}),
    seen as (
        select account_id, form_id, response_token, landed_at, true as is_finished,
        from {{ ref("stg_typeform__responses") }}
        where not is_deleted
        union all
        select account_id, form_id, response_token, landed_at, false as is_finished,
        from {{ ref("stg_typeform__partial_responses") }}
        where not is_deleted
    ),
    once as (
        select *, {{ business_date("landed_at") }} as landed_date,
        from seen
        qualify
            row_number() over (
                partition by account_id, form_id, response_token
                order by is_finished desc, landed_at
            )
            = 1
    ),
    started as (
        select
            once.account_id,
            once.form_id,
            forms.survey_kind,
            once.landed_date,
            once.response_token,
            once.is_finished,
        from once
        inner join forms on once.form_id = forms.form_id
        where once.landed_date <= {{ as_of_date() }}
    )
select *
from started
