with
    pipelines as (select * from {{ ref("stg_hubspot__pipelines") }}),
    unnested as (
        select account_id, pipeline_id, unnest(from_json(stages, '["JSON"]')) as stage,
        from pipelines
    ),
    described as (
        select
            account_id,
            pipeline_id,
            stage ->> '$.id' as stage_id,
            stage ->> '$.label' as stage_name,
            cast(stage ->> '$.displayOrder' as bigint) as display_order,
            coalesce(stage ->> '$.metadata.isClosed' = 'true', false) as is_closed_stage,
            cast(coalesce(stage ->> '$.metadata.probability', '0') as decimal(9, 6)) as probability,
        from unnested
    ),
    placed as (
        select
            *,
            is_closed_stage and probability = 1 as is_won_stage,
            row_number() over (
                partition by account_id, pipeline_id order by display_order, stage_id
            )
            = 1 as is_first_stage,
        from described
    ),
    -- a stage's id is unique in an account; should two pipelines share one, the first counts
    distinct_stages as (
        select *
        from placed
        qualify row_number() over (partition by account_id, stage_id order by pipeline_id) = 1
    )
select *
from distinct_stages
