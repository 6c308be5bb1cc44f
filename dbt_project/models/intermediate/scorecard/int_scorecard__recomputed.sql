with

    recomputed as (
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            numerator,
            denominator,
            observations
        from {{ ref("int_scorecard__p07_sales_cycle") }}
        union all
        select
            kpi_id,
            period_type,
            period_start,
            segment_type,
            segment,
            numerator,
            denominator,
            observations
        from {{ ref("int_scorecard__p08_pipeline_velocity") }}
    )

select *
from recomputed
