with
    source as (select * from {{ source("google_ads", "ad_groups") }}),
    renamed as (
        select
            -- ids
            account_id,
            campaign_id,
            ad_group_id,
            -- strings
            currency_code,
            time_zone,
            ad_group_name,
            ad_group_status,
            -- booleans
            _is_deleted as is_deleted,
        from source
    )
select *
from renamed
