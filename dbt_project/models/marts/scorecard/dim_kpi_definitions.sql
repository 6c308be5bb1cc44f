with

    versions as (select * from {{ ref("int_scorecard__kpi_versions") }}),

    nodes as (select * from {{ ref("int_scorecard__nodes") }}),

    people as (select *, {{ valid_until("person_id") }} as valid_until from {{ ref("people") }}),

    parameters as (
        select
            versions.kpi_id,
            versions.valid_from,
            string_agg(
                parameters.parameter || ' = ' || cast(cast(parameters.value as integer) as varchar),
                ', '
                order by parameters.parameter
            ) as parameters
        from versions
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on versions.kpi_id = parameters.kpi_id
            and parameters.valid_from < versions.valid_until
            and parameters.valid_until >= versions.valid_until
        group by versions.kpi_id, versions.valid_from
    ),

    sources as (
        select
            kpi_id,
            string_agg(distinct source, ', ' order by source) as sources,
            max(restatement_days) as restatement_days
        from {{ ref("kpi_sources") }}
        group by kpi_id
    ),

    kpi_definitions as (
        select
            versions.kpi_id,
            versions.valid_from,
            nullif(versions.valid_until, date '9999-12-31') - 1 as valid_to,
            {{ as_of_date() }} >= versions.valid_from
            and {{ as_of_date() }} < versions.valid_until as is_current,
            versions.version,
            versions.name,
            versions.perspective_id,
            perspectives.name as perspective_name,
            versions.objective_id,
            objectives.name as objective_name,
            versions.unit,
            versions.direction,
            versions.indicator,
            versions.calculation,
            cast(versions.scale as double) as scale,
            versions.is_additive,
            versions.is_cumulative,
            cast(versions.weight as double) as weight,
            versions.owner_id,
            owners.name as owner_name,
            stewards.person_id as steward_id,
            stewards.name as steward_name,
            versions.decision,
            versions.formula,
            parameters.parameters,
            sources.sources,
            coalesce(sources.restatement_days, 0) as restatement_days
        from versions
        left join
            nodes as objectives
            on objectives.node_type = 'objective'
            and versions.objective_id = objectives.node_id
            and versions.valid_from >= objectives.valid_from
            and versions.valid_from < objectives.valid_until
        left join
            nodes as perspectives
            on perspectives.node_type = 'perspective'
            and versions.perspective_id = perspectives.node_id
            and versions.valid_from >= perspectives.valid_from
            and versions.valid_from < perspectives.valid_until
        left join
            people as owners
            on versions.owner_id = owners.person_id
            and versions.valid_from >= owners.valid_from
            and versions.valid_from < owners.valid_until
        left join
            people as stewards
            on versions.steward_id = stewards.person_id
            and versions.valid_from >= stewards.valid_from
            and versions.valid_from < stewards.valid_until
        left join
            parameters
            on versions.kpi_id = parameters.kpi_id
            and versions.valid_from = parameters.valid_from
        left join sources on versions.kpi_id = sources.kpi_id
    )

select *
from kpi_definitions
