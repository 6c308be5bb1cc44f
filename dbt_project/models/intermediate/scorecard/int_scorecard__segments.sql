with

    company as (
        select kpi_id, segment_type, 'company' as segment
        from {{ ref("kpi_segments") }}
        where segment_type = 'company'
    ),

    observed as (
        select distinct kpi_segments.kpi_id, kpi_segments.segment_type, components.segment
        from {{ ref("kpi_segments") }} as kpi_segments
        inner join
            {{ ref("int_scorecard__components") }} as components
            on kpi_segments.kpi_id = components.kpi_id
            and kpi_segments.segment_type = components.segment_type
        where
            kpi_segments.segment_type != 'company'
            and components.component_date <= {{ as_of_date() }}
    ),

    segments as (
        select *
        from company
        union all
        select *
        from observed
    )

select *
from segments
