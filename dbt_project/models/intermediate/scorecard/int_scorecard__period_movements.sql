-- How far a value may still move: its young days move as days of their age did, the part above
-- the line one way and the part below it the other way.
with

    sums as (
        select *
        from {{ ref("int_scorecard__index") }}
        left join
            {{ ref("int_scorecard__period_sums") }} using (
                kpi_id, period_type, period_start, segment_type, segment
            )
    ),

    -- A day without a row has nothing that moves, but it must be known.
    young_days as (
        select
            sums.kpi_id,
            sums.period_type,
            sums.period_start,
            sums.segment_type,
            sums.segment,
            coalesce(abs(components.numerator), 0) * above.movement as numerator_moves,
            coalesce(abs(components.denominator), 0) * below.movement as denominator_moves,
            above.movement is not null
            and (below.kpi_id is null or below.movement is not null) as is_known
        from sums
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on sums.period_type = period_days.period_type
            and sums.period_start = period_days.period_start
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on sums.kpi_id = kpi_status.kpi_id
            and period_days.calendar_date between kpi_status.data_from and kpi_status.data_through
        inner join
            {{ ref("int_scorecard__movements") }} as above
            on sums.kpi_id = above.kpi_id
            and above.part = 'numerator'
            and {{ as_of_date() }} - period_days.calendar_date = above.age
        left join
            {{ ref("int_scorecard__movements") }} as below
            on sums.kpi_id = below.kpi_id
            and below.part = 'denominator'
            and above.age = below.age
        left join
            {{ ref("int_scorecard__components") }} as components
            on sums.kpi_id = components.kpi_id
            and sums.segment_type = components.segment_type
            and sums.segment = components.segment
            and period_days.calendar_date = components.component_date
    ),

    moves as (
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            sum(numerator_moves) as numerator_moves,
            coalesce(sum(denominator_moves), 0) as denominator_moves,
            bool_and(is_known) as is_known
        from young_days
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
        inner join sums using (kpi_id, period_type, period_start, segment_type, segment)
    ),

    -- A median or velocity moves as its like did through a day of the age of its last day.
    wholes as (
        select
            sums.kpi_id,
            sums.period_type,
            sums.period_start,
            sums.segment_type,
            sums.segment,
            movements.movement is not null as is_known,
            round(cast(movements.movement as double), 4) as may_move_by
        from sums
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status on sums.kpi_id = kpi_status.kpi_id
        inner join
            {{ ref("int_scorecard__movements") }} as movements
            on sums.kpi_id = movements.kpi_id
            and movements.part = 'value'
            and sums.period_type = movements.period_type
            and {{ as_of_date() }} - least(sums.period_end, kpi_status.data_through) = movements.age
    ),

    period_movements as (
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            is_known,
            case
                when is_known and denominator_share < 1
                then round(cast((1 + numerator_share) / (1 - denominator_share) - 1 as double), 4)
            end as may_move_by
        from shares
        union all
        select *
        from wholes
    )

select *
from period_movements
