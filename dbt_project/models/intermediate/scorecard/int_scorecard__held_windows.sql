-- The days that a held batch would have brought anew; until it is decided on, the last good values
-- of these days stay.
with

    held as (
        select
            statuses.source,
            statuses.account,
            statuses.stream,
            statuses.account_name,
            coalesce(
                batches.window_start, statuses.loaded_through + 1, {{ history_start() }}
            ) as first_day,
            coalesce(batches.window_end, {{ as_of_date() }}) as last_day
        from {{ source("ops", "stream_status") }} as statuses
        inner join
            {{ source("ops", "loaded_batches") }} as batches
            on statuses.source = batches.source
            and statuses.account = batches.account
            and statuses.stream = batches.stream
            and batches.as_of_date <= {{ as_of_date() }}
        where statuses.as_of_date = {{ as_of_date() }} and statuses.state = 'held'
        qualify
            row_number() over (
                partition by statuses.source, statuses.account, statuses.stream
                order by batches.state = 'passed', batches.sequence desc
            )
            = 1
    )

select *
from held
