with
    campaign_days as (select * from {{ ref("int_ads__campaign_daily") }}),
    accounts as (select * from {{ ref("int_ops__accounts") }}),
    named as (
        select
            campaign_days.report_date,
            campaign_days.source,
            campaign_days.account_id,
            accounts.account_name,
            campaign_days.campaign_id,
            campaign_days.campaign_name,
            campaign_days.channel,
            campaign_days.impressions,
            campaign_days.clicks,
            campaign_days.currency_code,
            campaign_days.spend_local,
            campaign_days.spend,
            campaign_days.conversions,
            campaign_days.conversions_value_local,
            campaign_days.conversions_value,
            cast(campaign_days.fx_rate as double) as fx_rate,
            campaign_days.report_timezone,
        from campaign_days
        left join
            accounts
            on campaign_days.source = accounts.source
            and campaign_days.account_id = accounts.account_id
    )
select *
from named
order by report_date, source, account_id, campaign_id
