-- The version counts 1, 2, 3 along valid_from, so that a version's number names one row for good.
select kpi_id, valid_from, version
from {{ ref("kpi_definitions") }}
qualify version != row_number() over (partition by kpi_id order by valid_from)
