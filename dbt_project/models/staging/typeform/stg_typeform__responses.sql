with
    source as (select * from {{ source("typeform", "responses") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            form_id,
            response_token,
            contact_id,
            -- strings
            response_type,
            -- booleans
            _is_deleted as is_deleted,
            -- times
            landed_at,
            submitted_at,
            -- nested
            answers,
        from source
    )
select *
from renamed
