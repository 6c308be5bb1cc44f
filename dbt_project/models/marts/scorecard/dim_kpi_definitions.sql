-- What hangs on a version without being part of it (parameters, target) is told as it holds
-- tonight,
-- for an earlier version as it held on its last day, for a later one as on its first.
with

    versions as (
        select *, least(greatest(valid_from, {{ as_of_date() }}), valid_until - 1) as told_on
        from {{ ref("int_scorecard__kpi_versions") }}
    ),

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
            and {{ holds_on("parameters", "versions.told_on") }}
        group by versions.kpi_id, versions.valid_from
    ),

    dated_targets as (
        select *, {{ valid_until("kpi_id, period_type, segment_type, segment") }} as valid_until
        from {{ ref("kpi_targets") }}
        where segment_type = 'company' and period_type in ('month', 'quarter')
    ),

    -- The monthly target, or the quarterly where there is none.
    targets as (
        select versions.kpi_id, versions.valid_from, dated_targets.target
        from versions
        inner join
            dated_targets
            on versions.kpi_id = dated_targets.kpi_id
            and {{ holds_on("dated_targets", "versions.told_on") }}
        qualify
            row_number() over (
                partition by versions.kpi_id, versions.valid_from order by dated_targets.period_type
            )
            = 1
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
            {{ holds_on("versions", as_of_date()) }} as is_current,
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
            coalesce(sources.restatement_days, 0) as restatement_days,
            versions.grain,
            versions.numerator,
            versions.denominator,
            versions.source_systems,
            targets.target
        from versions
        left join
            nodes as objectives
            on objectives.node_type = 'objective'
            and versions.objective_id = objectives.node_id
            and {{ holds_on("objectives", "versions.valid_from") }}
        left join
            nodes as perspectives
            on perspectives.node_type = 'perspective'
            and versions.perspective_id = perspectives.node_id
            and {{ holds_on("perspectives", "versions.valid_from") }}
        left join
            people as owners
            on versions.owner_id = owners.person_id
            and {{ holds_on("owners", "versions.valid_from") }}
        left join
            people as stewards
            on versions.steward_id = stewards.person_id
            and {{ holds_on("stewards", "versions.valid_from") }}
        left join
            parameters
            on versions.kpi_id = parameters.kpi_id
            and versions.valid_from = parameters.valid_from
        left join
            targets on versions.kpi_id = targets.kpi_id and versions.valid_from = targets.valid_from
        left join sources on versions.kpi_id = sources.kpi_id
    )

select *
from kpi_definitions
