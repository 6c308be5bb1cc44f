with

    versions as (
        select *, {{ valid_until("objective_id") }} as valid_until from {{ ref("objectives") }}
    ),

    nodes as (select * from {{ ref("int_scorecard__nodes") }}),

    people as (select *, {{ valid_until("person_id") }} as valid_until from {{ ref("people") }}),

    questions as (
        select *, {{ valid_until("perspective_id") }} as valid_until from {{ ref("perspectives") }}
    ),

    effects as (
        select
            links.cause_objective_id as objective_id,
            string_agg(distinct effects.name, '; ' order by effects.name) as leads_to
        from {{ ref("strategy_links") }} as links
        inner join
            nodes as effects
            on effects.node_type = 'objective'
            and links.effect_objective_id = effects.node_id
            and {{ as_of_date() }} >= effects.valid_from
            and {{ as_of_date() }} < effects.valid_until
        where links.valid_from <= {{ as_of_date() }}
        group by links.cause_objective_id
    ),

    parents as (
        select *
        from versions
        where {{ as_of_date() }} >= valid_from and {{ as_of_date() }} < valid_until
    ),

    objectives as (
        select
            versions.objective_id,
            versions.valid_from,
            nullif(versions.valid_until, date '9999-12-31') - 1 as valid_to,
            {{ as_of_date() }} >= versions.valid_from
            and {{ as_of_date() }} < versions.valid_until as is_current,
            versions.name,
            versions.description,
            versions.parent_objective_id,
            parents.name as parent_name,
            versions.perspective_id,
            perspectives.name as perspective_name,
            questions.question as perspective_question,
            perspectives.position as perspective_position,
            cast(versions.weight as double) as weight,
            cast(perspectives.weight as double) as perspective_weight,
            versions.owner_id,
            people.name as owner_name,
            effects.leads_to
        from versions
        left join parents on versions.parent_objective_id = parents.objective_id
        left join
            nodes as perspectives
            on perspectives.node_type = 'perspective'
            and versions.perspective_id = perspectives.node_id
            and versions.valid_from >= perspectives.valid_from
            and versions.valid_from < perspectives.valid_until
        left join
            people
            on versions.owner_id = people.person_id
            and versions.valid_from >= people.valid_from
            and versions.valid_from < people.valid_until
        left join
            questions
            on versions.perspective_id = questions.perspective_id
            and versions.valid_from >= questions.valid_from
            and versions.valid_from < questions.valid_until
        left join effects on versions.objective_id = effects.objective_id
    )

select *
from objectives
