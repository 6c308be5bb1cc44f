with
    forms as (select * from {{ ref("survey_forms") }}),
    titles as (select * from {{ ref("stg_typeform__forms") }}),
    answers as (
        -- one answer a person and month to the NPS form; every answer to the others
        select *
        from {{ ref("int_survey__answers") }}
        where is_last_in_month or survey_kind != 'nps'
    ),
    begun as (select * from {{ ref("int_survey__started") }}),
    scored as (
        select
            account_id,
            form_id,
            submitted_date as survey_date,
            count(*) filter (where survey_kind != 'csat' and score >= 9) as promoters,
            count(*) filter (where survey_kind != 'csat' and score in (7, 8)) as passives,
            count(*) filter (where survey_kind != 'csat' and score <= 6) as detractors,
            count(*) filter (where survey_kind = 'csat' and score >= scale_max - 1) as top_box,
            count(*) as respondents,
        from answers
        group by account_id, form_id, submitted_date
    ),
    opened as (
        select
            account_id,
            form_id,
            landed_date as survey_date,
            count(*) as started,
            count(*) filter (where is_finished) as finished,
        from begun
        group by account_id, form_id, landed_date
    ),
    days as (
        select account_id, form_id, survey_date,
        from scored
        union
        select account_id, form_id, survey_date,
        from opened
    ),
    -- the team's answers are anonymous: their scores are not shown by day
    shown as (
        select
            days.survey_date,
            days.account_id,
            days.form_id,
            titles.title as form_name,
            forms.survey_kind,
            case
                when forms.survey_kind != 'pulse' then coalesce(scored.promoters, 0)
            end as promoters,
            case
                when forms.survey_kind != 'pulse' then coalesce(scored.passives, 0)
            end as passives,
            case
                when forms.survey_kind != 'pulse' then coalesce(scored.detractors, 0)
            end as detractors,
            case when forms.survey_kind != 'pulse' then coalesce(scored.top_box, 0) end as top_box,
            case
                when forms.survey_kind != 'pulse' then coalesce(scored.respondents, 0)
            end as respondents,
            coalesce(opened.started, 0) as started,
            coalesce(opened.finished, 0) as finished,
        from days
        inner join forms on days.form_id = forms.form_id
        left join titles on days.account_id = titles.account_id and days.form_id = titles.form_id
        left join
            scored
            on days.account_id = scored.account_id
            and days.form_id = scored.form_id
            and days.survey_date = scored.survey_date
        left join
            opened
            on days.account_id = opened.account_id
            and days.form_id = opened.form_id
            and days.survey_date = opened.survey_date
    )
select *
from shown
order by survey_date, account_id, form_id
