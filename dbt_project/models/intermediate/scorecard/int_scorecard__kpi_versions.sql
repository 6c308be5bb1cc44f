with

    versions as (
        select *, {{ valid_until("kpi_id") }} as valid_until from {{ ref("kpi_definitions") }}
    )

select *
from versions
