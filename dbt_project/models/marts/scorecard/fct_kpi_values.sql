with

    targets as (
        select *, {{ valid_until("kpi_id, period_type, segment_type, segment") }} as valid_until
        from {{ ref("kpi_targets") }}
    ),

    period_values as (select * from {{ ref("int_scorecard__period_values") }}),

    versions as (select * from {{ ref("int_scorecard__kpi_versions") }}),

    trust as (select * from {{ ref("int_scorecard__trust") }}),

    maturity as (select * from {{ ref("int_scorecard__maturity") }}),

    joined as (
        select
            period_values.*,
            versions.direction,
            versions.is_cumulative,
            targets.valid_from as target_valid_from,
            targets.green_from,
            targets.red_below,
            targets.low,
            targets.high,
            targets.tolerance,
            targets.baseline,
            targets.target,
            targets.kpi_id is not null as has_target,
            trust.data_through,
            trust.days_present / trust.days_expected as coverage,
            trust.days_present / trust.days_in_period as elapsed_share,
            trust.dq_state,
            trust.dq_reason,
            trust.set_aside_share,
            trust.accounts_present,
            trust.accounts_expected,
            trust.reconciliation_difference,
            coalesce(trust.is_restated, false) and period_values.value is not null as is_restated,
            coalesce(movements.is_known, false) as is_movement_known,
            movements.may_move_by,
            maturity.matures_on,
            coalesce(maturity.is_mature, true) as is_mature,
            period_values.period_end > {{ as_of_date() }} as is_running
        from period_values
        inner join trust using (kpi_id, period_type, period_start)
        left join maturity using (kpi_id, period_type, period_start)
        left join
            {{ ref("int_scorecard__period_movements") }} as movements using (
                kpi_id, period_type, period_start, segment_type, segment
            )
        left join
            versions
            on period_values.kpi_id = versions.kpi_id
            and period_values.definition_version = versions.version
        left join
            targets
            on period_values.kpi_id = targets.kpi_id
            and period_values.period_type = targets.period_type
            and period_values.segment_type = targets.segment_type
            and period_values.segment = targets.segment
            and period_values.period_start >= targets.valid_from
            and period_values.period_start < targets.valid_until
    ),

    -- What a sum comes to when the rest of its period goes on like the days that are in it.
    projected as (
        select
            * replace (if(is_restated, may_move_by, null) as may_move_by),
            case
                when not is_mature
                then null
                when is_cumulative
                then value / nullif(elapsed_share, 0)
                else value
            end as scored_value,
            if(is_mature, (value - baseline) / nullif(target - baseline, 0), null) as progress
        from joined
    ),

    scored as (
        select
            *,
            {{
                score(
                    "scored_value",
                    "direction",
                    "green_from",
                    "red_below",
                    "low",
                    "high",
                    "tolerance",
                )
            }} as score,
            {{
                band_may_change(
                    "scored_value",
                    "may_move_by",
                    "direction",
                    "green_from",
                    "red_below",
                    "low",
                    "high",
                    "tolerance",
                )
            }} as may_change_band
        from projected
    ),

    kpi_values as (
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            period_end,
            is_running,
            numerator,
            denominator,
            value,
            no_data_reason,
            cast(target as double) as target,
            cast(score as double) as score,
            {{ band("score", "(has_target and (is_mature or value is null))") }} as band,
            score is not null
            and dq_state in ('verified', 'provisional')
            and not may_change_band as is_band_shown,
            cast(progress as double) as progress,
            cast(if(is_cumulative, progress / nullif(elapsed_share, 0), null) as double) as pace,
            n,
            is_low_confidence,
            cast(margin as double) as margin,
            cast(coverage as double) as coverage,
            data_through,
            dq_state,
            case
                when no_data_reason = 'suppressed'
                then 'Too few answers, or too short a period, to show without giving people away.'
                when dq_state not in ('verified', 'provisional')
                then dq_reason
                when no_data_reason = 'nothing to count'
                then 'There is nothing to count in this period.'
                when no_data_reason = 'too early'
                then 'The data behind this number begin after this period.'
                when not is_mature
                then
                    'Not scored before '
                    || {{ spoken_date("matures_on") }}
                    || ': until then those who entered in this period may still pass.'
                when not is_restated
                then dq_reason
                when may_move_by is null and is_movement_known
                then dq_reason || ' It rests on too little to say how far.'
                when may_move_by is null
                then dq_reason || ' How far is not known yet.'
                else
                    dq_reason
                    || ' It may move by '
                    || if(
                        may_move_by < 0.0005,
                        'less than 0.1 %',
                        '±' || round(100 * may_move_by, 1) || ' %'
                    )
                    || ', as days of the same age did'
                    || if(may_change_band, ', and that could change its colour.', '.')
            end as dq_reason,
            -- beside a hidden number of answers the share would give that number away
            cast(
                if(no_data_reason = 'suppressed', null, set_aside_share) as double
            ) as set_aside_share,
            cast(
                if(no_data_reason in ('suppressed', 'not loaded', 'too early'), null, 1)
                - coalesce(set_aside_share, 0) as double
            ) as rows_coverage,
            accounts_present,
            accounts_expected,
            reconciliation_difference,
            may_move_by,
            definition_version,
            target_valid_from,
            is_mature,
            matures_on
        from scored
    )

select *
from kpi_values
