with
    source as (select * from {{ source("google_ads", "ads") }}),
    renamed as (
        select
            -- ids
            account_id,
            campaign_id,
            ad_group_id,
            ad_id,
            -- strings
            currency_code,
            time_zone,
            ad_status,
            ad_type,
            -- booleans
            _is_deleted as is_deleted,
        from source
    )
select *
from renamed
