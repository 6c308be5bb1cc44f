-- Each number as it stood at the end of the period, or at data_through where that comes first.
with

    parameters as (
        select
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

    deals as (select * from {{ ref("int_crm__deals") }}),

    stays as (
        select
            account_id,
            deal_id,
            entered_date,
            lead(entered_date, 1, date '9999-12-31') over (
                partition by account_id, deal_id order by entry_number
            ) as left_date
        from {{ ref("int_crm__deal_stage_entries") }}
    ),

    open_deals as (
        select parameters.end_date, count(*) as open_count
        from deals
        inner join stays on deals.account_id = stays.account_id and deals.deal_id = stays.deal_id
        inner join
            parameters
            on parameters.end_date >= stays.entered_date
            and parameters.end_date < stays.left_date
            and parameters.end_date <= stays.entered_date + parameters.stale_days
            and parameters.end_date >= deals.created_date
            and parameters.end_date >= deals.qualified_date
            and (not deals.is_closed or deals.close_date > parameters.end_date)
        group by parameters.end_date
    ),

    closed_deals as (
        select
            parameters.end_date,
            count(*) as closed_count,
            count(*) filter (where deals.is_won) as won_count,
            sum(deals.amount) filter (where deals.is_won) as won_amount,
            count(deals.amount) filter (where deals.is_won) as won_with_amount,
            median(date_diff('day', deals.created_date, deals.close_date)) filter (
                where deals.is_won
            ) as cycle_days
        from deals
        inner join
            parameters
            on deals.close_date <= parameters.end_date
            and deals.close_date > parameters.end_date - parameters.window_days
        where deals.is_closed
        group by parameters.end_date
    ),

    velocity as (
        select
            closed_deals.end_date,
            coalesce(open_deals.open_count, 0) as open_count,
            cast(
                cast(
                    coalesce(open_deals.open_count, 0)
                    * closed_deals.won_count
                    * closed_deals.won_amount as decimal(38, 6)
                ) / nullif(closed_deals.closed_count * closed_deals.won_with_amount, 0) as decimal(
                    18, 6
                )
            ) as expected_amount,
            cast(closed_deals.cycle_days as decimal(18, 6)) as cycle_days
        from closed_deals
        left join open_deals on closed_deals.end_date = open_deals.end_date
    )

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
