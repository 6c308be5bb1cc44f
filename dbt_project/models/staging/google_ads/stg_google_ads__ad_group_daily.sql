with
    source as (select * from {{ source("google_ads", "ad_group_daily") }}),
    renamed as (
        select
            -- ids
            account_id,
            campaign_id,
            ad_group_id,
            -- strings
            currency_code,
            time_zone,
            -- numbers
            impressions,
            clicks,
            cost_micros,
            conversions,
            conversions_value,
            -- booleans
            _is_deleted as is_deleted,
            -- times
            report_date,
        from source
    )
select *
from renamed
