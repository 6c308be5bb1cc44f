with
    source as (select * from {{ source("typeform", "partial_responses") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            form_id,
            response_token,
            -- strings
            response_type,
            -- booleans
            _is_deleted as is_deleted,
            -- times
            landed_at,
        from source
    )
select *
from renamed
