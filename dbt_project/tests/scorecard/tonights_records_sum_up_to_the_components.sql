-- How records are counted is said twice: for tonight's values, and for what each night saw. On
-- tonight both must say the same, or a value's movement would be that of another number.
with

    days as (
        select
            kpi_id,
            component_date,
            sum(amount) filter (where part = 'numerator') as numerator,
            sum(amount) filter (where part = 'denominator') as denominator
        from {{ ref("int_scorecard__record_totals") }}
        where as_of_date = {{ as_of_date() }}
        group by kpi_id, component_date
    ),

    wholes as (
        select kpi_id, period_type, component_date, amount
        from {{ ref("int_scorecard__past_values") }}
        where as_of_date = {{ as_of_date() }}
    )

select days.kpi_id, 'day' as period_type, days.component_date
from days
left join
    {{ ref("int_scorecard__components") }} as components
    on days.kpi_id = components.kpi_id
    and components.segment_type = 'company'
    and days.component_date = components.component_date
where
    abs(days.numerator - coalesce(components.numerator, 0)) > 0
    or abs(days.denominator - coalesce(components.denominator, 0)) > 0
union all
select wholes.kpi_id, wholes.period_type, wholes.component_date
from wholes
inner join
    {{ ref("int_scorecard__period_days") }} as period_days
    on wholes.period_type = period_days.period_type
    and wholes.component_date = period_days.calendar_date
inner join
    {{ ref("int_scorecard__kpi_status") }} as kpi_status
    on wholes.kpi_id = kpi_status.kpi_id
    and wholes.component_date = least(period_days.period_end, kpi_status.data_through)
left join
    {{ ref("int_scorecard__recomputed") }} as recomputed
    on wholes.kpi_id = recomputed.kpi_id
    and wholes.period_type = recomputed.period_type
    and period_days.period_start = recomputed.period_start
where
    abs(wholes.amount - coalesce(recomputed.numerator / coalesce(recomputed.denominator, 1), 0))
    > 0.000001
