-- Targets, segments, sources and parameters belong to a KPI that is defined.
with

    named as (
        select 'target' as row_kind, kpi_id
        from {{ ref("kpi_targets") }}
        union all
        select 'segment' as row_kind, kpi_id
        from {{ ref("kpi_segments") }}
        union all
        select 'source' as row_kind, kpi_id
        from {{ ref("kpi_sources") }}
        union all
        select 'parameter' as row_kind, kpi_id
        from {{ ref("kpi_parameters") }}
    )

select distinct row_kind, kpi_id
from named
where kpi_id not in (select kpi_id from {{ ref("kpi_definitions") }})
