with
    source as (select * from {{ source("google_ads", "campaigns") }}),
    renamed as (
        select
            -- ids
            account_id,
            campaign_id,
            -- strings
            currency_code,
            time_zone,
            campaign_name,
            campaign_status,
            channel_type,
            start_date,
            -- booleans
            _is_deleted as is_deleted,
        from source
    )
select *
from renamed
