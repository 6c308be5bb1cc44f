-- An objective is either a goal of the company, or has a known perspective, a known parent, a
-- weight.
select objectives.objective_id, objectives.valid_from
from {{ ref("objectives") }} as objectives
where
    (
        objectives.perspective_id is not null
        or objectives.parent_objective_id is not null
        or objectives.weight is not null
    )
    and not (
        exists (
            select 1
            from {{ ref("perspectives") }} as perspectives
            where
                perspectives.perspective_id = objectives.perspective_id
                and perspectives.valid_from <= objectives.valid_from
        )
        and exists (
            select 1
            from {{ ref("objectives") }} as parents
            where
                parents.objective_id = objectives.parent_objective_id
                and parents.valid_from <= objectives.valid_from
        )
        and coalesce(objectives.weight > 0, false)
        and coalesce(objectives.least_coverage between 0 and 1, false)
    )
