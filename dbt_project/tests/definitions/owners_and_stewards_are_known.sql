-- Everybody named as owner or steward stands in people, on the day from which they are named.
with

    named as (
        select 'kpi ' || kpi_id as thing, valid_from, owner_id as person_id
        from {{ ref("kpi_definitions") }}
        union all
        select 'kpi ' || kpi_id as thing, valid_from, steward_id as person_id
        from {{ ref("kpi_definitions") }}
        union all
        select 'objective ' || objective_id as thing, valid_from, owner_id as person_id
        from {{ ref("objectives") }}
    )

select named.thing, named.valid_from, named.person_id
from named
where
    not exists (
        select 1
        from {{ ref("people") }} as people
        where
            people.person_id = named.person_id
            and people.valid_from <= named.valid_from
            and coalesce(people.valid_to >= named.valid_from, true)
    )
