with

    answers as (
        select submitted_date, score
        from {{ ref("int_survey__answers") }}
        where survey_kind = 'pulse'
    )

select
    'L05' as kpi_id,
    'company' as segment_type,
    'company' as segment,
    submitted_date as component_date,
    cast(
        count(*) filter (where score >= 9) - count(*) filter (where score <= 6) as decimal(18, 6)
    ) as numerator,
    cast(count(*) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    count(*) as observations
from answers
group by submitted_date
