-- What speaks against a loaded batch: rows set aside, and soft checks that did not pass. A newer
-- batch over the same days replaces the batch and so its doubts.
with

    batches as (
        select
            source,
            account,
            stream,
            batch_id,
            sequence,
            coalesce(window_start, {{ history_start() }}) as first_day,
            coalesce(window_end, {{ as_of_date() }}) as last_day
        from {{ source("ops", "loaded_batches") }}
        where state = 'passed' and as_of_date <= {{ as_of_date() }}
    ),

    -- A row without a usable day may belong to any day of its batch.
    set_aside as (
        select
            batches.source,
            batches.account,
            batches.stream,
            batches.batch_id,
            batches.sequence,
            if(
                quarantine.day between first_day and last_day, quarantine.day, first_day
            ) as first_day,
            if(quarantine.day between first_day and last_day, quarantine.day, last_day) as last_day,
            'rows set aside' as doubt,
            count(*) as set_aside_rows
        from {{ source("ops", "quarantine") }} as quarantine
        inner join batches using (source, account, stream, batch_id)
        group by all
    ),

    failed_checks as (
        select distinct
            batches.source,
            batches.account,
            batches.stream,
            batches.batch_id,
            batches.sequence,
            batches.first_day,
            batches.last_day,
            replace(check_results.rule, '_', ' ') as doubt,
            cast(0 as bigint) as set_aside_rows
        from {{ source("ops", "check_results") }} as check_results
        inner join batches using (source, account, stream, batch_id)
        where
            check_results.state in ('fail', 'error')
            and check_results.action = 'observe'
            and check_results.severity in ('warning', 'critical')
    ),

    doubts as (
        select *
        from set_aside
        union all
        select *
        from failed_checks
    ),

    doubtful_days as (
        select doubts.*, period_days.calendar_date
        from doubts
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on period_days.calendar_date between doubts.first_day and doubts.last_day
            and period_days.period_type = 'day'
        where
            not exists (
                select 1
                from batches as newer
                where
                    newer.source = doubts.source
                    and newer.account = doubts.account
                    and newer.stream = doubts.stream
                    and newer.sequence > doubts.sequence
                    and period_days.calendar_date between newer.first_day and newer.last_day
            )
    )

select source, account, stream, batch_id, first_day, doubt, calendar_date, set_aside_rows
from doubtful_days
