with

    daily as (
        select
            components.kpi_id,
            period_days.period_type,
            period_days.period_start,
            components.segment_type,
            components.segment,
            cast(sum(components.numerator) as decimal(18, 6)) as numerator,
            cast(sum(components.denominator) as decimal(18, 6)) as denominator,
            cast(sum(components.squares) as decimal(18, 6)) as squares,
            cast(sum(components.observations) as bigint) as observations
        from {{ ref("int_scorecard__components") }} as components
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on components.kpi_id = kpi_status.kpi_id
            and components.component_date <= kpi_status.data_through
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on components.component_date = period_days.calendar_date
        group by all
    ),

    sums as (
        select *
        from daily
        union all
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            numerator,
            denominator,
            cast(null as decimal(18, 6)) as squares,
            observations
        from {{ ref("int_scorecard__recomputed") }}
    )

select *
from sums
