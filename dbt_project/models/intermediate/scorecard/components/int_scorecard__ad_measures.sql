with

    campaign_days as (select * from {{ ref("int_ads__campaign_daily") }}),

    measures as (
        select
            case
                when grouping(campaign_id) = 0
                then 'campaign'
                when grouping(channel) = 0
                then 'channel'
                else 'company'
            end as segment_type,
            coalesce(campaign_id, channel, 'company') as segment,
            report_date as component_date,
            cast(sum(impressions) as decimal(18, 6)) as impressions,
            cast(sum(clicks) as decimal(18, 6)) as clicks,
            cast(sum(spend) as decimal(18, 6)) as spend,
            cast(sum(conversions) as decimal(18, 6)) as conversions,
            cast(sum(conversions_value) as decimal(18, 6)) as conversions_value,
            count(*) as observations
        from campaign_days
        group by grouping sets ((report_date), (report_date, channel), (report_date, campaign_id))
    )

select *
from measures
