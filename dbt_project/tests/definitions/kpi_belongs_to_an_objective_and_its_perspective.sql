-- Every version of a KPI names an objective that is known that day, in the perspective it says.
select definitions.kpi_id, definitions.valid_from, definitions.objective_id
from {{ ref("kpi_definitions") }} as definitions
where
    not exists (
        select 1
        from {{ ref("objectives") }} as objectives
        where
            objectives.objective_id = definitions.objective_id
            and objectives.perspective_id = definitions.perspective_id
            and objectives.valid_from <= definitions.valid_from
    )
