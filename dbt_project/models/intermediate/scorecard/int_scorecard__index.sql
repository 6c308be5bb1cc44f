with

    catalogue as (
        select
            segments.kpi_id,
            periods.period_type,
            periods.period_start,
            periods.period_end,
            segments.segment_type,
            segments.segment
        from {{ ref("int_scorecard__segments") }} as segments
        cross join {{ ref("int_scorecard__periods") }} as periods
    )

select *
from catalogue
