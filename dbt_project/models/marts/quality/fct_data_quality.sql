-- What each night found about each stream: first how far its data go (rule loaded_through), then
-- every check. Rows of earlier nights do not change; the warehouse keeps those that are no longer
-- shown.
{% set is_shown -%}
    as_of_date between {{ as_of_date() }} - {{ var("quality_nights") }} + 1 and {{ as_of_date() }}
{%- endset %}

with

    statuses as (select * from {{ source("ops", "stream_status") }} where {{ is_shown }}),

    batches as (
        select
            as_of_date,
            source,
            account,
            stream,
            count(*) as batches,
            count(*) filter (where state != 'passed') as held_batches,
            cast(sum(rows_in) as bigint) as rows_in,
            cast(sum(rows_quarantined) as bigint) as rows_set_aside
        from {{ source("ops", "loaded_batches") }}
        where {{ is_shown }}
        group by as_of_date, source, account, stream
    ),

    arrivals as (
        select
            statuses.as_of_date,
            statuses.source,
            statuses.account,
            statuses.stream,
            statuses.source || '.' || statuses.stream || '.loaded_through' as check_id,
            'loaded_through' as rule,
            'critical' as severity,
            'observe' as action,
            if(statuses.state = 'fresh', 'pass', 'fail') as state,
            strftime(statuses.loaded_through, '%Y-%m-%d') as observed,
            strftime(statuses.expected_through, '%Y-%m-%d') as expected,
            cast(if(statuses.state = 'fresh', 0, 1) as bigint) as failed_count,
            cast(1 as bigint) as checked_count,
            case
                statuses.state
                when 'fresh'
                then
                    'The data are complete through '
                    || {{ spoken_date("statuses.loaded_through") }}
                    || '.'
                when 'held'
                then
                    'New data did not pass their checks and wait for a decision; the data in use end on '
                    || coalesce({{ spoken_date("statuses.loaded_through") }}, 'no day yet')
                    || '.'
                when 'late'
                then
                    'The data end on '
                    || {{ spoken_date("statuses.loaded_through") }}
                    || ', '
                    || date_diff('day', statuses.loaded_through, statuses.expected_through)
                    || if(
                        date_diff('day', statuses.loaded_through, statuses.expected_through) = 1,
                        ' day',
                        ' days'
                    )
                    || ' before the day they should reach.'
                else 'No data have been loaded yet.'
            end as sentence
        from statuses
    ),

    -- The worst result of a night, of the newest batch among equals.
    ranked as (
        select
            *,
            concat(
                list_position(['skipped', 'empty', 'pass', 'error', 'fail'], state), batch_id
            ) as badness
        from {{ source("ops", "check_results") }}
        where {{ is_shown }}
    ),

    checks as (
        select
            as_of_date,
            source,
            account,
            stream,
            check_id,
            max(rule) as rule,
            max(severity) as severity,
            max(action) as action,
            arg_max(state, badness) as state,
            arg_max(observed, badness) as observed,
            arg_max(expected, badness) as expected,
            cast(sum(coalesce(n_failed, 0)) as bigint) as failed_count,
            cast(sum(coalesce(n_total, 0)) as bigint) as checked_count,
            arg_max(sentence, badness) as sentence
        from ranked
        group by as_of_date, source, account, stream, check_id
    ),

    results as (
        select *
        from arrivals
        union all
        select *
        from checks
    ),

    data_quality as (
        select
            results.as_of_date,
            results.source,
            results.account,
            coalesce(statuses.account_name, results.account) as account_name,
            results.stream,
            results.check_id,
            results.rule,
            results.severity,
            results.action,
            results.state,
            results.observed,
            results.expected,
            results.failed_count,
            results.checked_count,
            statuses.state as stream_state,
            statuses.loaded_through as data_through,
            cast(
                date_diff('day', statuses.loaded_through, statuses.expected_through) as bigint
            ) as days_behind,
            coalesce(batches.batches, 0) as batches,
            coalesce(batches.held_batches, 0) as held_batches,
            coalesce(batches.rows_in, 0) as rows_in,
            coalesce(batches.rows_set_aside, 0) as rows_set_aside,
            results.sentence
        from results
        left join statuses using (as_of_date, source, account, stream)
        left join batches using (as_of_date, source, account, stream)
    )

select *
from data_quality
