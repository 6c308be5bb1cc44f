-- One row for all that should exist. A period without a row of data counts nothing (0) when its
-- data
-- are loaded, and is null when they are not.
with

    versions as (select * from {{ ref("int_scorecard__kpi_versions") }}),

    parameters as (select * from {{ ref("int_scorecard__parameters") }}),

    parts as (
        select
            catalogue.kpi_id,
            catalogue.period_type,
            catalogue.period_start,
            catalogue.period_end,
            catalogue.segment_type,
            catalogue.segment,
            versions.version as definition_version,
            versions.calculation,
            versions.scale,
            versions.calculation in ('ratio', 'velocity') as has_denominator,
            low_confidence.value as low_confidence_below,
            trust.is_loaded,
            trust.is_too_early,
            trust.is_loaded
            and suppressed.value is not null
            -- a day or month beside its quarter would give the remaining few away
            and (
                catalogue.period_type != 'quarter'
                or coalesce(sums.observations, 0) < suppressed.value
            ) as is_suppressed,
            sums.numerator,
            sums.denominator,
            sums.squares,
            coalesce(sums.observations, 0) as observations
        from {{ ref("int_scorecard__index") }} as catalogue
        inner join
            {{ ref("int_scorecard__trust") }} as trust using (kpi_id, period_type, period_start)
        left join
            versions
            on catalogue.kpi_id = versions.kpi_id
            and catalogue.period_start >= versions.valid_from
            and catalogue.period_start < versions.valid_until
        left join
            parameters as suppressed
            on catalogue.kpi_id = suppressed.kpi_id
            and suppressed.parameter = 'suppress_below'
            and catalogue.period_start >= suppressed.valid_from
            and catalogue.period_start < suppressed.valid_until
        left join
            parameters as low_confidence
            on catalogue.kpi_id = low_confidence.kpi_id
            and low_confidence.parameter = 'low_confidence_below'
            and catalogue.period_start >= low_confidence.valid_from
            and catalogue.period_start < low_confidence.valid_until
        left join
            {{ ref("int_scorecard__period_sums") }} as sums using (
                kpi_id, period_type, period_start, segment_type, segment
            )
    ),

    known as (
        select
            * exclude (numerator, denominator),
            case
                when not is_loaded or is_suppressed
                then null
                when calculation in ('sum', 'ratio')
                then coalesce(numerator, 0)
                else numerator
            end as numerator,
            case
                when not is_loaded or is_suppressed
                then null
                when calculation = 'ratio'
                then coalesce(denominator, 0)
                else denominator
            end as denominator
        from parts
    ),

    period_values as (
        select
            kpi_id,
            period_type,
            period_start,
            period_end,
            segment_type,
            segment,
            definition_version,
            cast(numerator as decimal(18, 6)) as numerator,
            cast(denominator as decimal(18, 6)) as denominator,
            cast(
                scale * case
                    when has_denominator then numerator / nullif(denominator, 0) else numerator
                end as double
            ) as value,
            case
                when is_too_early
                then 'too early'
                when not is_loaded
                then 'not loaded'
                when is_suppressed
                then 'suppressed'
                when has_denominator and coalesce(denominator, 0) = 0
                then 'nothing to count'
                when numerator is null
                then 'nothing to count'
            end as no_data_reason,
            case
                when is_loaded and low_confidence_below is not null and not is_suppressed
                then observations
            end as n,
            case
                when is_loaded and low_confidence_below is not null and not is_suppressed
                then observations < low_confidence_below
            end as is_low_confidence,
            case
                when is_loaded and squares is not null and denominator > 0
                then
                    1.96
                    * scale
                    * sqrt(
                        greatest(squares / denominator - power(numerator / denominator, 2), 0)
                        / denominator
                    )
            end as margin
        from known
    )

select *
from period_values
