-- How far a value may still move: its young days move as days of their age did, the part above
-- the line one way and the part below it the other way.
with

    young_days as (
        select
            components.kpi_id,
            components.segment_type,
            components.segment,
            components.component_date,
            abs(components.numerator) * above.movement as numerator_moves,
            abs(components.denominator) * below.movement as denominator_moves,
            above.movement is not null
            and (components.denominator is null or below.movement is not null) as is_known
        from {{ ref("int_scorecard__components") }} as components
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on components.kpi_id = kpi_status.kpi_id
            and components.component_date <= kpi_status.data_through
        inner join
            {{ ref("int_scorecard__movements") }} as above
            on components.kpi_id = above.kpi_id
            and above.part = 'numerator'
            and {{ as_of_date() }} - components.component_date = above.age
        left join
            {{ ref("int_scorecard__movements") }} as below
            on components.kpi_id = below.kpi_id
            and below.part = 'denominator'
            and above.age = below.age
    ),

    moves as (
        select
            young_days.kpi_id,
            period_days.period_type,
            period_days.period_start,
            young_days.segment_type,
            young_days.segment,
            sum(young_days.numerator_moves) as numerator_moves,
            coalesce(sum(young_days.denominator_moves), 0) as denominator_moves,
            bool_and(young_days.is_known) as is_known
        from young_days
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on young_days.component_date = period_days.calendar_date
        group by all
    ),

    shares as (
        select
            moves.*,
            moves.numerator_moves / nullif(abs(sums.numerator), 0) as numerator_share,
            coalesce(
                moves.denominator_moves / nullif(abs(sums.denominator), 0), 0
            ) as denominator_share
        from moves
        inner join
            {{ ref("int_scorecard__period_sums") }} as sums using (
                kpi_id, period_type, period_start, segment_type, segment
            )
    ),

    period_movements as (
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            case
                when is_known and denominator_share < 1
                then round(cast((1 + numerator_share) / (1 - denominator_share) - 1 as double), 4)
            end as may_move_by
        from shares
    )

select *
from period_movements
