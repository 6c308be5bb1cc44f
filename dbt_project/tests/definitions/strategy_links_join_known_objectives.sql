-- Cause and effect are two known objectives, and nothing causes itself along the way.
with recursive

    links as (select cause_objective_id, effect_objective_id from {{ ref("strategy_links") }}),

    reached as (
        select cause_objective_id, effect_objective_id
        from links
        union
        select reached.cause_objective_id, links.effect_objective_id
        from reached
        inner join links on reached.effect_objective_id = links.cause_objective_id
    ),

    known as (select objective_id from {{ ref("objectives") }} where perspective_id is not null)

select cause_objective_id, effect_objective_id
from reached
where
    cause_objective_id = effect_objective_id
    or cause_objective_id not in (select objective_id from known)
    or effect_objective_id not in (select objective_id from known)
