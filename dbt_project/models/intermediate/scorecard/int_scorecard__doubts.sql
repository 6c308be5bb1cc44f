-- What speaks against a loaded batch: rows set aside, soft checks of the batch that did not pass,
-- and rows in use that a soft check speaks against. A newer batch over the same days replaces the
-- batch and so its doubts. A record that is sent again only when it changes is doubtful until it
-- comes again and is sound, or all records are listed anew. A row in use is doubtful as long as it
-- is in use.
with

    batches as (
        select
            loaded_batches.source,
            loaded_batches.account,
            loaded_batches.stream,
            loaded_batches.batch_id,
            loaded_batches.sequence,
            coalesce(loaded_batches.window_start, {{ history_start() }}) as first_day,
            coalesce(loaded_batches.window_end, {{ as_of_date() }}) as last_day,
            coalesce(statuses.load = 'changes', false) as has_changes
        from {{ source("ops", "loaded_batches") }} as loaded_batches
        left join
            {{ source("ops", "stream_status") }} as statuses
            on loaded_batches.source = statuses.source
            and loaded_batches.account = statuses.account
            and loaded_batches.stream = statuses.stream
            and statuses.as_of_date = {{ as_of_date() }}
        where loaded_batches.state = 'passed' and loaded_batches.as_of_date <= {{ as_of_date() }}
    ),

    -- A row without a usable day may belong to any day of its batch. The days of a batch of changes
    -- are those of the changes: its records may be of any day.
    set_aside as (
        select
            batches.source,
            batches.account,
            batches.stream,
            batches.batch_id,
            batches.sequence,
            batches.first_day as batch_first_day,
            case
                when has_changes
                then coalesce(quarantine.day, {{ history_start() }})
                when quarantine.day between first_day and last_day
                then quarantine.day
                else first_day
            end as first_day,
            case
                when has_changes
                then coalesce(quarantine.day, {{ as_of_date() }})
                when quarantine.day between first_day and last_day
                then quarantine.day
                else last_day
            end as last_day,
            'rows set aside' as doubt,
            has_changes,
            count(*) as set_aside_rows
        from {{ source("ops", "quarantine") }} as quarantine
        inner join batches using (source, account, stream, batch_id)
        where
            not exists (
                select 1
                from {{ source("ops", "sound_again") }} as sound_again
                inner join
                    batches as newer
                    on sound_again.source = newer.source
                    and sound_again.account = newer.account
                    and sound_again.stream = newer.stream
                    and sound_again.sound_in = newer.batch_id
                where
                    sound_again.source = quarantine.source
                    and sound_again.account = quarantine.account
                    and sound_again.stream = quarantine.stream
                    and sound_again.batch_id = quarantine.batch_id
                    and sound_again.line = quarantine.line
            )
        group by all
    ),

    failed_checks as (
        select distinct
            batches.source,
            batches.account,
            batches.stream,
            batches.batch_id,
            batches.sequence,
            batches.first_day as batch_first_day,
            batches.first_day,
            batches.last_day,
            replace(check_results.rule, '_', ' ') as doubt,
            false as has_changes,
            cast(0 as bigint) as set_aside_rows
        from {{ source("ops", "check_results") }} as check_results
        inner join batches using (source, account, stream, batch_id)
        where
            check_results.state in ('fail', 'error')
            and check_results.action = 'observe'
            and check_results.severity in ('warning', 'critical')
            and not coalesce(check_results.of_rows, false)
    ),

    noted as (
        select distinct
            batches.source,
            batches.account,
            batches.stream,
            batches.batch_id,
            coalesce(noted.day, batches.first_day) as first_day,
            coalesce(noted.day, batches.last_day) as last_day,
            replace(noted.rule, '_', ' ') as doubt
        from {{ source("ops", "noted") }} as noted
        inner join batches using (source, account, stream, batch_id)
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
                    and if(
                        doubts.has_changes,
                        newer.first_day <= doubts.batch_first_day,
                        period_days.calendar_date between newer.first_day and newer.last_day
                    )
            )
    )

select source, account, stream, batch_id, first_day, doubt, calendar_date, set_aside_rows
from doubtful_days
union all
select
    noted.source,
    noted.account,
    noted.stream,
    noted.batch_id,
    noted.first_day,
    noted.doubt,
    period_days.calendar_date,
    cast(0 as bigint) as set_aside_rows
from noted
inner join
    {{ ref("int_scorecard__period_days") }} as period_days
    on period_days.calendar_date between noted.first_day and noted.last_day
    and period_days.period_type = 'day'
