with

    company as (
        select
            'company' as node_type,
            'company' as node_id,
            cast(null as varchar) as parent_id,
            {{ dbt.string_literal(dbt.escape_single_quotes(var("company_name"))) }} as name,
            cast(1 as decimal(9, 3)) as weight,
            cast(0.7 as decimal(9, 3)) as least_coverage,
            cast(null as varchar) as owner_id,
            cast(0 as bigint) as position,
            date '0001-01-01' as valid_from,
            date '9999-12-31' as valid_until
    ),

    perspectives as (
        select
            'perspective' as node_type,
            perspective_id as node_id,
            'company' as parent_id,
            name,
            weight,
            least_coverage,
            cast(null as varchar) as owner_id,
            position,
            valid_from,
            {{ valid_until("perspective_id") }} as valid_until
        from {{ ref("perspectives") }}
    ),

    objectives as (
        select
            'objective' as node_type,
            objective_id as node_id,
            perspective_id as parent_id,
            name,
            weight,
            least_coverage,
            owner_id,
            cast(0 as bigint) as position,
            valid_from,
            {{ valid_until("objective_id") }} as valid_until
        from {{ ref("objectives") }}
        where perspective_id is not null
    ),

    kpis as (
        select
            'kpi' as node_type,
            kpi_id as node_id,
            objective_id as parent_id,
            name,
            weight,
            cast(0 as decimal(9, 3)) as least_coverage,
            owner_id,
            cast(0 as bigint) as position,
            valid_from,
            valid_until
        from {{ ref("int_scorecard__kpi_versions") }}
    ),

    nodes as (
        select *
        from company
        union all
        select *
        from perspectives
        union all
        select *
        from objectives
        union all
        select *
        from kpis
    )

select *
from nodes
