-- What the marts say of the parts of a KPI against what its batches summed up to when they came. A
-- period with a day whose batches left no totals is not reconciled.
with

    kpi_days as (
        select
            measures.kpi_id,
            measures.part,
            components.component_date,
            if(measures.part = 'numerator', components.numerator, components.denominator) as amount
        from (select distinct kpi_id, part from {{ ref("kpi_measures") }}) as measures
        inner join
            {{ ref("int_scorecard__components") }} as components
            on measures.kpi_id = components.kpi_id
            and components.segment_type = 'company'
    ),

    vendor_days as (
        select kpi_id, part, component_date, sum(amount) as amount
        from {{ ref("int_scorecard__day_totals") }}
        where is_newest
        group by kpi_id, part, component_date
    ),

    both_days as (
        select
            kpi_id,
            part,
            component_date,
            coalesce(kpi_days.amount, 0) as amount,
            vendor_days.amount as vendor_amount
        from kpi_days
        full join vendor_days using (kpi_id, part, component_date)
    ),

    parts as (
        select
            both_days.kpi_id,
            both_days.part,
            period_days.period_type,
            period_days.period_start,
            case
                when bool_and(both_days.vendor_amount is not null or both_days.amount = 0)
                then
                    (sum(both_days.amount) - sum(both_days.vendor_amount))
                    / nullif(sum(both_days.vendor_amount), 0)
            end as difference
        from both_days
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on both_days.kpi_id = kpi_status.kpi_id
            and both_days.component_date between kpi_status.data_from and kpi_status.data_through
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on both_days.component_date = period_days.calendar_date
        group by all
    ),

    -- The part that differs most; rounded, because money is converted row by row here and day by
    -- day
    -- there.
    reconciled as (
        select
            kpi_id,
            period_type,
            period_start,
            round(
                cast(arg_max(difference, {'size':abs(difference), 'part':part}) as double), 6
            ) as reconciliation_difference
        from parts
        where difference is not null
        group by kpi_id, period_type, period_start
    )

select *
from reconciled
