with
    google_ads as (
        select 'google_ads' as source, *,
        from {{ ref("stg_google_ads__campaign_daily") }}
        where not is_deleted and report_date <= {{ as_of_date() }}
    ),
    campaigns as (select * from {{ ref("int_ads__campaigns") }}),
    rates as (select * from {{ ref("int_fx__rates") }}),
    -- a vendor leaves out what is zero
    measured as (
        select
            google_ads.source,
            google_ads.account_id,
            google_ads.campaign_id,
            coalesce(campaigns.campaign_name, google_ads.campaign_name) as campaign_name,
            campaigns.channel,
            google_ads.report_date,
            google_ads.time_zone as report_timezone,
            google_ads.currency_code,
            coalesce(google_ads.impressions, 0) as impressions,
            coalesce(google_ads.clicks, 0) as clicks,
            {{ micros_to_units("coalesce(google_ads.cost_micros, 0)") }} as spend_local,
            coalesce(google_ads.conversions, 0) as conversions,
            coalesce(google_ads.conversions_value, 0) as conversions_value_local,
        from google_ads
        left join
            campaigns
            on google_ads.source = campaigns.source
            and google_ads.account_id = campaigns.account_id
            and google_ads.campaign_id = campaigns.campaign_id
    ),
    converted as (
        select
            measured.source,
            measured.account_id,
            measured.campaign_id,
            measured.campaign_name,
            measured.channel,
            measured.report_date,
            measured.report_timezone,
            measured.currency_code,
            measured.impressions,
            measured.clicks,
            measured.spend_local,
            {{ to_reporting_currency("measured.spend_local", "rates.fx_rate") }} as spend,
            cast(measured.conversions as decimal(18, 6)) as conversions,
            cast(measured.conversions_value_local as decimal(18, 6)) as conversions_value_local,
            {{ to_reporting_currency("measured.conversions_value_local", "rates.fx_rate") }}
            as conversions_value,
            rates.fx_rate,
        from measured
        asof left join
            rates
            on measured.currency_code = rates.currency_code
            and measured.report_date >= rates.valid_from
    )
select *
from converted
order by report_date, source, account_id, campaign_id
