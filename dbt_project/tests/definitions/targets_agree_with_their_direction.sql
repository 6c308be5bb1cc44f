-- Thresholds are complete, apart from each other, and in the order that the direction says.
with

    targets as (
        select targets.*, definitions.direction
        from {{ ref("kpi_targets") }} as targets
        left join {{ ref("kpi_definitions") }} as definitions on targets.kpi_id = definitions.kpi_id
        qualify
            row_number() over (
                partition by
                    targets.kpi_id,
                    targets.period_type,
                    targets.segment_type,
                    targets.segment,
                    targets.valid_from
                order by
                    definitions.valid_from <= targets.valid_from desc, definitions.valid_from desc
            )
            = 1
    )

select kpi_id, period_type, segment, valid_from, direction
from targets
where
    (
        case
            direction
            when 'increase'
            then green_from > red_below and coalesce(low, high, tolerance) is null
            when 'decrease'
            then green_from < red_below and coalesce(low, high, tolerance) is null
            when 'maintain'
            then low <= high and tolerance > 0 and coalesce(green_from, red_below) is null
        end
    )
    is not true
    or (baseline is not null and target is not null and baseline = target)
