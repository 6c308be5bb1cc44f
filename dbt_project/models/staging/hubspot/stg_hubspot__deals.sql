with
    source as (select * from {{ source("hubspot", "deals") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            deal_id,
            pipeline_id,
            stage_id,
            owner_id,
            -- strings
            currency_code,
            deal_type,
            -- numbers
            amount,
            -- booleans
            is_archived,
            _is_deleted as is_deleted,
            -- times
            created_at,
            updated_at,
            archived_at,
            created_date as deal_created_at,
            close_date as close_at,
            -- nested
            stage_history,
        from source
    )
select *
from renamed
