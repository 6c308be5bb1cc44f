with

    started as (
        select landed_date, is_finished
        from {{ ref("int_survey__started") }}
        where survey_kind in ('nps', 'csat')
    )

select
    'C05' as kpi_id,
    'company' as segment_type,
    'company' as segment,
    landed_date as component_date,
    cast(count(*) filter (where is_finished) as decimal(18, 6)) as numerator,
    cast(count(*) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    count(*) as observations
from started
group by landed_date
