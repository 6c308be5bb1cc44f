with
    source as (select * from {{ source("hubspot", "deal_companies") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            deal_id,
            -- booleans
            _is_deleted as is_deleted,
            -- nested
            associated,
        from source
    )
select *
from renamed
