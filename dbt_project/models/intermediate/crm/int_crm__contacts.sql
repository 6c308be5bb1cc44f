with
    contacts as (
        select *
        from {{ ref("stg_hubspot__contacts") }}
        where not is_deleted and not coalesce(is_archived, false)
    ),
    campaigns as (
        select campaign_id, channel,
        from {{ ref("int_ads__campaigns") }}
        qualify row_number() over (partition by campaign_id order by source, account_id) = 1
    ),
    attributed as (
        select
            contacts.contact_id,
            contacts.account_id,
            contacts.created_at,
            {{ business_date("contacts.created_at") }} as created_date,
            coalesce(
                campaigns.channel,
                case
                    contacts.analytics_source
                    when 'ORGANIC_SEARCH'
                    then 'organic'
                    when 'DIRECT_TRAFFIC'
                    then 'direct'
                    when 'EMAIL_MARKETING'
                    then 'email'
                    when 'REFERRALS'
                    then 'referral'
                    when 'SOCIAL_MEDIA'
                    then 'social'
                    when 'OFFLINE'
                    then 'offline'
                    else 'unknown'
                end
            ) as channel,
            coalesce(contacts.analytics_source in ('PAID_SEARCH', 'PAID_SOCIAL'), false) as is_paid,
            contacts.analytics_source,
            campaigns.campaign_id,
            contacts.marketing_qualified_at,
            least(
                contacts.sales_qualified_at, contacts.opportunity_at, contacts.customer_at
            ) as sales_passed_at,
        from contacts
        left join campaigns on contacts.utm_campaign = campaigns.campaign_id
    )
select *
from attributed
