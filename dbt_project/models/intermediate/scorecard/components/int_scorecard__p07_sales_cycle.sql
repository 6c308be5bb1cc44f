with

    won as (
        select close_date, date_diff('day', created_date, close_date) as days
        from {{ ref("int_crm__deals") }}
        where is_won and close_date is not null
    )

select
    'P07' as kpi_id,
    period_days.period_type,
    period_days.period_start,
    'company' as segment_type,
    'company' as segment,
    cast(median(won.days) as decimal(18, 6)) as numerator,
    cast(null as decimal(18, 6)) as denominator,
    count(*) as observations
from won
inner join
    {{ ref("int_scorecard__kpi_status") }} as kpi_status
    on kpi_status.kpi_id = 'P07'
    and won.close_date <= kpi_status.data_through
inner join
    {{ ref("int_scorecard__period_days") }} as period_days
    on won.close_date = period_days.calendar_date
group by period_days.period_type, period_days.period_start
