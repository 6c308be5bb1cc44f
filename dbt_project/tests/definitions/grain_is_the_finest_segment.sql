-- The grain begins with the finest segment by which the KPI is broken down.
with

    finest as (
        select
            kpi_id,
            arg_max(
                segment_type, list_position(['company', 'channel', 'campaign'], segment_type)
            ) as segment_type
        from {{ ref("kpi_segments") }}
        group by kpi_id
    )

select definitions.kpi_id, definitions.grain
from {{ ref("kpi_definitions") }} as definitions
left join finest on definitions.kpi_id = finest.kpi_id
where starts_with(definitions.grain, finest.segment_type || ' and ') is not true
