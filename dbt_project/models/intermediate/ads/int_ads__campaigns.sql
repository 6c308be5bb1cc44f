with
    listed as (select * from {{ ref("stg_google_ads__campaigns") }}),
    reports as (
        select *
        from {{ ref("stg_google_ads__campaign_daily") }}
        where not is_deleted and report_date <= {{ as_of_date() }}
    ),
    last_reported as (
        select account_id, campaign_id, campaign_name, campaign_status, channel_type,
        from reports
        qualify
            row_number() over (partition by account_id, campaign_id order by report_date desc) = 1
    ),
    named as (
        select
            'google_ads' as source,
            coalesce(listed.account_id, last_reported.account_id) as account_id,
            coalesce(listed.campaign_id, last_reported.campaign_id) as campaign_id,
            coalesce(listed.campaign_name, last_reported.campaign_name) as campaign_name,
            lower(coalesce(listed.channel_type, last_reported.channel_type, 'unknown')) as channel,
            coalesce(listed.campaign_status, last_reported.campaign_status) as status,
            coalesce(listed.is_deleted, true) as is_deleted,
        from listed
        full outer join
            last_reported
            on listed.account_id = last_reported.account_id
            and listed.campaign_id = last_reported.campaign_id
    )
select *
from named
