with

    results as (
        select
            as_of_date,
            state,
            case severity when 'critical' then 3 when 'warning' then 2 else 1 end as weight
        from {{ source("ops", "check_results") }}
        where
            state in ('pass', 'fail', 'error')
            and as_of_date between {{ history_start() }} and {{ as_of_date() }}
    )

select
    'L07' as kpi_id,
    'company' as segment_type,
    'company' as segment,
    as_of_date as component_date,
    cast(coalesce(sum(weight) filter (where state = 'pass'), 0) as decimal(18, 6)) as numerator,
    cast(sum(weight) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    count(*) as observations
from results
group by as_of_date
