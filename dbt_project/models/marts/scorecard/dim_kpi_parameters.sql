with

    versions as (
        select *, {{ valid_until("kpi_id, parameter") }} as valid_until
        from {{ ref("kpi_parameters") }}
    ),

    kpi_parameters as (
        select
            kpi_id,
            parameter,
            valid_from,
            nullif(valid_until, date '9999-12-31') - 1 as valid_to,
            {{ holds_on("versions", as_of_date()) }} as is_current,
            cast(value as double) as value,
            description
        from versions
    )

select *
from kpi_parameters
