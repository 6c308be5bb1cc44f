-- A part of a KPI is a sum over a stream that the KPI rests on.
select kpi_id, part, source, stream
from {{ ref("kpi_measures") }}
where
    (kpi_id, source, stream) not in (select (kpi_id, source, stream) from {{ ref("kpi_sources") }})
