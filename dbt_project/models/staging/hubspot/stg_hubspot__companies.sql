with
    source as (select * from {{ source("hubspot", "companies") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            company_id,
            owner_id,
            -- strings
            name,
            domain,
            country,
            -- booleans
            is_archived,
            _is_deleted as is_deleted,
            -- times
            created_at,
            updated_at,
            archived_at,
        from source
    )
select *
from renamed
