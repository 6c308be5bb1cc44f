with

    versions as (
        select *, {{ valid_until("objective_id") }} as valid_until from {{ ref("objectives") }}
    ),

    perspectives as (
        select *, {{ valid_until("perspective_id") }} as valid_until from {{ ref("perspectives") }}
    ),

    people as (select *, {{ valid_until("person_id") }} as valid_until from {{ ref("people") }}),

    current_objectives as (select * from versions where {{ holds_on("versions", as_of_date()) }}),

    effects as (
        select
            links.cause_objective_id as objective_id,
            string_agg(distinct effects.name, '; ' order by effects.name) as leads_to
        from {{ ref("strategy_links") }} as links
        inner join current_objectives as effects on links.effect_objective_id = effects.objective_id
        where links.valid_from <= {{ as_of_date() }}
        group by links.cause_objective_id
    ),

    objectives as (
        select
            versions.objective_id,
            versions.valid_from,
            nullif(versions.valid_until, date '9999-12-31') - 1 as valid_to,
            {{ holds_on("versions", as_of_date()) }} as is_current,
            versions.name,
            versions.description,
            versions.parent_objective_id,
            parents.name as parent_name,
            versions.perspective_id,
            perspectives.name as perspective_name,
            perspectives.question as perspective_question,
            perspectives.position as perspective_position,
            cast(versions.weight as double) as weight,
            cast(perspectives.weight as double) as perspective_weight,
            versions.owner_id,
            people.name as owner_name,
            effects.leads_to
        from versions
        left join
            current_objectives as parents on versions.parent_objective_id = parents.objective_id
        left join
            perspectives
            on versions.perspective_id = perspectives.perspective_id
            and {{ holds_on("perspectives", "versions.valid_from") }}
        left join
            people
            on versions.owner_id = people.person_id
            and {{ holds_on("people", "versions.valid_from") }}
        left join effects on versions.objective_id = effects.objective_id
    )

select *
from objectives
