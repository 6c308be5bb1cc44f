-- Every KPI has at least the whole company as a segment.
select distinct kpi_id
from {{ ref("kpi_definitions") }}
where kpi_id not in (select kpi_id from {{ ref("kpi_segments") }} where segment_type = 'company')
