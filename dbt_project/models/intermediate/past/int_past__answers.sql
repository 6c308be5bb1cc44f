-- The scores of the last days as each night saw them. Whether an answer is its person's last of the
-- month is settled by later answers, which are of the last days, too.
with

    nights as (
        select account_id, as_of_date, max(restatement_days) as restatement_days
        from {{ ref("int_past__nights") }}
        where kpi_id in ('C01', 'C02', 'L05')
        group by account_id, as_of_date
    ),

    versions as (
        {{
            versions(
                "typeform__responses",
                ["form_id", "response_token"],
                ["submitted_at", "contact_id", "answers"],
                since="submitted_at",
            )
        }}
    ),

    dated as (select *, {{ business_date("submitted_at") }} as submitted_date from versions),

    scored as (
        select
            dated.account_id,
            dated.form_id,
            forms.survey_kind,
            dated.response_token,
            nullif(dated.contact_id, '') as contact_id,
            dated.submitted_at,
            dated.submitted_date,
            dated.known_from,
            dated.known_until,
            cast(
                list_filter(
                    from_json(dated.answers, '["JSON"]'),
                    lambda answer:answer ->> '$.field.id' = forms.score_field_id
                )[1]
                ->> '$.number' as bigint
            ) as score
        from dated
        inner join {{ ref("survey_forms") }} as forms on dated.form_id = forms.form_id
        where dated.was_there and not dated.is_deleted
    ),

    answers as (
        select
            nights.as_of_date,
            scored.account_id,
            scored.form_id,
            scored.survey_kind,
            scored.submitted_date,
            scored.response_token,
            scored.score,
            scored.contact_id is null
            or row_number() over (
                partition by
                    nights.as_of_date,
                    scored.account_id,
                    scored.form_id,
                    scored.contact_id,
                    date_trunc('month', scored.submitted_date)
                order by scored.submitted_at desc, scored.response_token desc
            )
            = 1 as is_last_in_month
        from scored
        inner join
            nights
            on scored.account_id = nights.account_id
            and {{ seen_on("nights.as_of_date", "scored") }}
            and scored.submitted_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
        where scored.score is not null
    )

select *
from answers
