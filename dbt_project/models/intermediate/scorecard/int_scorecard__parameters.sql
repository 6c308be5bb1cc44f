with

    parameters as (
        select
            kpi_id,
            parameter,
            valid_from,
            {{ valid_until("kpi_id, parameter") }} as valid_until,
            value
        from {{ ref("kpi_parameters") }}
    )

select *
from parameters
