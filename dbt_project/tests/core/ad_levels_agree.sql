-- A campaign's report is the sum of its ads', save where the vendor has no ads to report.
{{ config(severity="warn") }}

with
    campaign_totals as (
        select account_id, campaign_id, report_date, cost_micros, clicks,
        from {{ ref("stg_google_ads__campaign_daily") }}
        where channel_type != 'PERFORMANCE_MAX'
    ),
    ad_totals as (
        select
            account_id,
            campaign_id,
            report_date,
            sum(cost_micros) as cost_micros,
            sum(clicks) as clicks,
        from {{ ref("stg_google_ads__ad_daily") }}
        group by account_id, campaign_id, report_date
    )
select campaign_totals.*,
from campaign_totals
inner join
    ad_totals
    on campaign_totals.account_id = ad_totals.account_id
    and campaign_totals.campaign_id = ad_totals.campaign_id
    and campaign_totals.report_date = ad_totals.report_date
where
    coalesce(campaign_totals.cost_micros, 0) != coalesce(ad_totals.cost_micros, 0)
    or coalesce(campaign_totals.clicks, 0) != coalesce(ad_totals.clicks, 0)
