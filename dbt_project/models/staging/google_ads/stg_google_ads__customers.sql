with
    source as (select * from {{ source("google_ads", "customers") }}),
    renamed as (
        select
            -- ids
            account_id,
            -- strings
            name,
            currency_code,
            time_zone,
            status,
            -- numbers
            level,
            -- booleans
            is_manager,
            _is_deleted as is_deleted,
        from source
    )
select *
from renamed
