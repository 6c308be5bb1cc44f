with
    responses as (
        select *, {{ business_date("submitted_at") }} as submitted_date,
        from {{ ref("stg_typeform__responses") }}
        where not is_deleted
    ),
    forms as (select * from {{ ref("survey_forms") }}),
    answered as (
        select
            responses.account_id,
            responses.form_id,
            forms.survey_kind,
            responses.response_token,
            responses.submitted_at,
            responses.submitted_date,
            nullif(responses.contact_id, '') as contact_id,
            forms.scale_min,
            forms.scale_max,
            list_filter(
                from_json(responses.answers, '["JSON"]'),
                lambda answer:answer ->> '$.field.id' = forms.score_field_id
            )[1] as answer,
        from responses
        inner join forms on responses.form_id = forms.form_id
        where responses.submitted_date <= {{ as_of_date() }}
    ),
    scored as (
        select *, cast(answer ->> '$.number' as bigint) as score,
        from answered
        where answer ->> '$.number' is not null
    ),
    last_marked as (
        select
            account_id,
            form_id,
            survey_kind,
            response_token,
            submitted_at,
            submitted_date,
            contact_id,
            score,
            scale_min,
            scale_max,
            contact_id is null
            or row_number() over (
                partition by account_id, form_id, contact_id, date_trunc('month', submitted_date)
                order by submitted_at desc, response_token desc
            )
            = 1 as is_last_in_month,
        from scored
    )
select *
from last_marked
