-- Precedence: held, suspect, stale, provisional, verified. Ages are not told here, so that a row of
-- an old period does not change from night to night.
with

    periods as (
        select
            kpi_status.* exclude (data_through),
            kpi_status.data_through as kpi_data_through,
            periods.period_type,
            periods.period_start,
            periods.period_end,
            if(
                kpi_status.data_through is null,
                null,
                least(periods.period_end, kpi_status.data_through)
            ) as computed_through,
            least(periods.period_end, kpi_status.expected_through) as wanted_through
        from {{ ref("int_scorecard__kpi_status") }} as kpi_status
        cross join {{ ref("int_scorecard__periods") }} as periods
    ),

    held as (
        select
            periods.kpi_id,
            periods.period_type,
            periods.period_start,
            string_agg(
                distinct held_windows.account_name, ' and ' order by held_windows.account_name
            ) as held_accounts
        from periods
        inner join {{ ref("kpi_sources") }} as kpi_sources on periods.kpi_id = kpi_sources.kpi_id
        inner join
            {{ ref("int_scorecard__held_windows") }} as held_windows
            on kpi_sources.source = held_windows.source
            and kpi_sources.stream = held_windows.stream
            and periods.period_end >= held_windows.first_day
            and periods.period_start <= held_windows.last_day
        group by periods.kpi_id, periods.period_type, periods.period_start
    ),

    account_days as (
        select
            kpi_sources.kpi_id,
            statuses.source,
            statuses.account,
            if(
                bool_or(statuses.loaded_through is null), null, min(statuses.loaded_through)
            ) as loaded_through
        from {{ ref("kpi_sources") }} as kpi_sources
        inner join {{ source("ops", "stream_status") }} as statuses using (source, stream)
        where statuses.as_of_date = {{ as_of_date() }}
        group by kpi_sources.kpi_id, statuses.source, statuses.account
    ),

    accounts as (
        select
            periods.kpi_id,
            periods.period_type,
            periods.period_start,
            count(*) as accounts_expected,
            count(*) filter (
                where account_days.loaded_through >= periods.wanted_through
            ) as accounts_present
        from periods
        inner join account_days on periods.kpi_id = account_days.kpi_id
        group by periods.kpi_id, periods.period_type, periods.period_start
    ),

    company_sums as (
        select kpi_id, period_type, period_start, observations
        from {{ ref("int_scorecard__period_sums") }}
        where segment_type = 'company'
    ),

    joined as (
        select
            periods.*,
            held.held_accounts,
            accounts.accounts_expected,
            accounts.accounts_present,
            reconciled.reconciliation_difference,
            period_doubts.set_aside_rows,
            period_doubts.failed_checks,
            period_doubts.accounts as doubted_accounts,
            -- Of what is not there yet nothing can be a share.
            if(
                periods.kpi_data_through >= periods.period_start,
                coalesce(period_doubts.set_aside_rows, 0) / nullif(
                    coalesce(period_doubts.set_aside_rows, 0)
                    + coalesce(company_sums.observations, 0),
                    0
                ),
                null
            ) as set_aside_share,
            (
                periods.kpi_data_through is null
                or periods.kpi_data_through < periods.wanted_through
            ) as is_late,
            if(
                periods.kpi_data_through is null,
                'No data of ' || periods.late_accounts || ' has been loaded yet.',
                'The data of '
                || periods.late_accounts
                || ' end on '
                || {{ spoken_date("periods.kpi_data_through") }}
                || '; later days are not in this number.'
            ) as late_reason,
            case
                when held.held_accounts is not null
                then 'held'
                when
                    period_doubts.kpi_id is not null
                    or abs(reconciled.reconciliation_difference) >= 0.001
                then 'suspect'
                when is_late
                then 'stale'
                when periods.period_end > periods.kpi_data_through - periods.restatement_days
                then 'provisional'
                else 'verified'
            end as dq_state
        from periods
        left join held using (kpi_id, period_type, period_start)
        left join
            {{ ref("int_scorecard__period_doubts") }} as period_doubts using (
                kpi_id, period_type, period_start
            )
        left join accounts using (kpi_id, period_type, period_start)
        left join
            {{ ref("int_scorecard__reconciled") }} as reconciled using (
                kpi_id, period_type, period_start
            )
        left join company_sums using (kpi_id, period_type, period_start)
    ),

    trust as (
        select
            kpi_id,
            period_type,
            period_start,
            computed_through as data_through,
            coalesce(
                period_start <= kpi_data_through and period_end >= data_from, false
            ) as is_loaded,
            period_end < data_from as is_too_early,
            cast(
                greatest(
                    coalesce(
                        date_diff('day', greatest(period_start, data_from), computed_through) + 1, 0
                    ),
                    0
                ) as bigint
            ) as days_present,
            cast(
                date_diff('day', period_start, least(period_end, {{ as_of_date() }})) + 1 as bigint
            ) as days_expected,
            cast(date_diff('day', period_start, period_end) + 1 as bigint) as days_in_period,
            accounts_present,
            accounts_expected,
            reconciliation_difference,
            coalesce(set_aside_rows, 0) as set_aside_rows,
            if(set_aside_rows > 0, set_aside_share, null) as set_aside_share,
            dq_state,
            dq_state = 'provisional' and restatement_days > 0 as is_restated,
            case
                when dq_state = 'held'
                then
                    'New data of '
                    || held_accounts
                    || ' did not pass its checks and waits for a decision; the last good value is shown.'
                when dq_state = 'suspect'
                then
                    concat_ws(
                        ' ',
                        case
                            when set_aside_rows > 0
                            then
                                set_aside_rows
                                || if(set_aside_rows = 1, ' row of ', ' rows of ')
                                || doubted_accounts
                                || if(set_aside_rows = 1, ' was', ' were')
                                || ' set aside as wrong'
                                || if(
                                    set_aside_share is null,
                                    '',
                                    ', up to '
                                    || greatest(round(100 * set_aside_share, 1), 0.1)
                                    || ' % of what this number rests on'
                                )
                                || '.'
                        end,
                        'A check on the data of '
                        || doubted_accounts
                        || ' did not pass: '
                        || failed_checks
                        || '.',
                        case
                            when abs(reconciliation_difference) >= 0.001
                            then
                                'What it counts is '
                                || round(100 * abs(reconciliation_difference), 1)
                                || if(reconciliation_difference < 0, ' % below', ' % above')
                                || ' what its vendors sent.'
                        end,
                        if(is_late, late_reason, null)
                    )
                when dq_state = 'stale'
                then late_reason
                when dq_state = 'provisional' and restatement_days > 0
                then
                    'May still change until '
                    || {{ spoken_date("period_end + restatement_days") }}
                    || ': the data behind it are revised for '
                    || restatement_days
                    || ' days.'
                when dq_state = 'provisional'
                then 'The period is not over yet.'
                else 'Complete and past all checks.'
            end as dq_reason
        from joined
    )

select *
from trust
