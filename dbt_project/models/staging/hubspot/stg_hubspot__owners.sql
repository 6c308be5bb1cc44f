with
    source as (select * from {{ source("hubspot", "owners") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            owner_id,
            -- booleans
            is_archived,
            _is_deleted as is_deleted,
        from source
    )
select *
from renamed
