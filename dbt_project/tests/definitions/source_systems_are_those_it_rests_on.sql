-- A KPI's newest version names the vendors of its rows in kpi_sources, or us where it has none.
with

    newest as (
        select *
        from {{ ref("kpi_definitions") }}
        qualify row_number() over (partition by kpi_id order by valid_from desc) = 1
    ),

    rests_on as (
        select kpi_id, string_agg(distinct source, ', ' order by source) as sources
        from {{ ref("kpi_sources") }}
        group by kpi_id
    )

select newest.kpi_id, newest.source_systems, rests_on.sources
from newest
left join rests_on on newest.kpi_id = rests_on.kpi_id
where
    replace(replace(lower(newest.source_systems), ' ', '_'), ',_', ', ')
    is distinct from coalesce(rests_on.sources, 'boscard')
