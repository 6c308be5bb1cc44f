with

    days as (
        select
            cast(
                unnest(
                    generate_series({{ history_start() }}, {{ as_of_date() }}, interval 1 day)
                ) as date
            ) as calendar_date
    ),

    period_days as (
        select
            calendar_date,
            'day' as period_type,
            calendar_date as period_start,
            calendar_date as period_end
        from days
        union all
        select
            calendar_date,
            'week' as period_type,
            cast(date_trunc('week', calendar_date) as date) as period_start,
            cast(date_trunc('week', calendar_date) + interval 6 day as date) as period_end
        from days
        union all
        select
            calendar_date,
            'month' as period_type,
            cast(date_trunc('month', calendar_date) as date) as period_start,
            last_day(calendar_date) as period_end
        from days
        union all
        select
            calendar_date,
            'quarter' as period_type,
            cast(date_trunc('quarter', calendar_date) as date) as period_start,
            cast(
                date_trunc('quarter', calendar_date) + interval 3 month - interval 1 day as date
            ) as period_end
        from days
    )

select *
from period_days
