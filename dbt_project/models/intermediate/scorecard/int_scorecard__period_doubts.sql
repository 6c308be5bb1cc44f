with

    by_period as (
        select distinct
            kpi_sources.kpi_id,
            period_days.period_type,
            period_days.period_start,
            doubts.source,
            doubts.account,
            doubts.stream,
            doubts.batch_id,
            doubts.first_day,
            doubts.doubt,
            doubts.set_aside_rows
        from {{ ref("int_scorecard__doubts") }} as doubts
        inner join
            {{ ref("kpi_sources") }} as kpi_sources
            on doubts.source = kpi_sources.source
            and doubts.stream = kpi_sources.stream
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on doubts.calendar_date = period_days.calendar_date
    ),

    named as (
        select by_period.*, coalesce(statuses.account_name, by_period.account) as account_name
        from by_period
        left join
            {{ source("ops", "stream_status") }} as statuses
            on by_period.source = statuses.source
            and by_period.account = statuses.account
            and by_period.stream = statuses.stream
            and statuses.as_of_date = {{ as_of_date() }}
    ),

    period_doubts as (
        select
            kpi_id,
            period_type,
            period_start,
            cast(sum(set_aside_rows) as bigint) as set_aside_rows,
            string_agg(distinct doubt, ', ' order by doubt) filter (
                where set_aside_rows = 0
            ) as failed_checks,
            string_agg(distinct account_name, ' and ' order by account_name) as accounts
        from named
        group by kpi_id, period_type, period_start
    )

select *
from period_doubts
