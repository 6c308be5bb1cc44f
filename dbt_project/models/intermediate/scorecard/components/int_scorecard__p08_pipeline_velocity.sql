-- Each number as it stood at the end of the period, or at data_through where that comes first.
with

    parameters as (
        select
            {{ as_of_date() }} as as_of_date,
            period_days.calendar_date as end_date,
            cast(
                max(parameters.value) filter (where parameters.parameter = 'window_days') as integer
            ) as window_days,
            cast(
                max(parameters.value) filter (where parameters.parameter = 'stale_days') as integer
            ) as stale_days
        from {{ ref("int_scorecard__period_days") }} as period_days
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'P08'
            and period_days.calendar_date >= parameters.valid_from
            and period_days.calendar_date < parameters.valid_until
        where period_days.period_type = 'day'
        group by period_days.calendar_date
    ),

    deals as (
        select *, date '0001-01-01' as known_from, date '9999-12-31' as known_until
        from {{ ref("int_crm__deals") }}
    ),

    stays as (
        select
            account_id,
            deal_id,
            date '9999-12-31' as known_until,
            entered_date,
            lead(entered_date, 1, date '9999-12-31') over (
                partition by account_id, deal_id order by entry_number
            ) as left_date
        from {{ ref("int_crm__deal_stage_entries") }}
    ),

    velocity as ({{ velocity("parameters", "deals", "stays") }})

select
    'P08' as kpi_id,
    periods.period_type,
    periods.period_start,
    'company' as segment_type,
    'company' as segment,
    velocity.expected_amount as numerator,
    velocity.cycle_days as denominator,
    velocity.open_count as observations
from {{ ref("int_scorecard__periods") }} as periods
inner join
    {{ ref("int_scorecard__kpi_status") }} as kpi_status
    on kpi_status.kpi_id = 'P08'
    and periods.period_start <= kpi_status.data_through
inner join velocity on velocity.end_date = least(periods.period_end, kpi_status.data_through)
