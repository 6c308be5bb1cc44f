-- Today every perspective has at least one KPI with a weight and a target for the whole company.
with

    scored as (
        select definitions.perspective_id
        from {{ ref("kpi_definitions") }} as definitions
        inner join
            {{ ref("kpi_targets") }} as targets
            on definitions.kpi_id = targets.kpi_id
            and targets.segment_type = 'company'
            and targets.valid_from <= {{ as_of_date() }}
        where definitions.valid_from <= {{ as_of_date() }}
        qualify
            row_number() over (
                partition by definitions.kpi_id
                order by definitions.valid_from desc, targets.period_type, targets.valid_from
            )
            = 1
            and definitions.weight > 0
    )

select distinct perspectives.perspective_id
from {{ ref("perspectives") }} as perspectives
where perspectives.perspective_id not in (select perspective_id from scored)
