-- Whoever owns or looks after something today is still in the team. A warning: a night is not
-- withheld because somebody left, but somebody has to take over.
{{ config(severity="warn") }}

with

    versions as (
        select kpi_id as thing, valid_from, owner_id, steward_id
        from {{ ref("kpi_definitions") }}
        union all
        select objective_id as thing, valid_from, owner_id, owner_id as steward_id
        from {{ ref("objectives") }}
    ),

    today as (
        select thing, unnest([owner_id, steward_id]) as person_id
        from
            (
                select *
                from versions
                where valid_from <= {{ as_of_date() }}
                qualify row_number() over (partition by thing order by valid_from desc) = 1
            ) as newest
    )

select distinct today.thing, today.person_id
from today
where
    not exists (
        select 1
        from {{ ref("people") }} as people
        where
            people.person_id = today.person_id
            and people.valid_from <= {{ as_of_date() }}
            and coalesce(people.valid_to >= {{ as_of_date() }}, true)
    )
