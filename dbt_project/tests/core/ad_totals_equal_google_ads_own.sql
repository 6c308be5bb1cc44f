-- What the mart says of Google Ads is what Google Ads said: every total of every account, exactly.
with
    reported as (
        select
            account_id,
            count(*) as n_rows,
            sum(coalesce(impressions, 0)) as impressions,
            sum(coalesce(clicks, 0)) as clicks,
            cast(sum(coalesce(cost_micros, 0)) as decimal(38, 6)) as cost_micros,
            sum(coalesce(conversions, 0)) as conversions,
            sum(coalesce(conversions_value, 0)) as conversions_value,
        from {{ source("google_ads", "campaign_daily") }}
        where report_date <= {{ as_of_date() }}
        group by account_id
    ),
    published as (
        select
            account_id,
            count(*) as n_rows,
            sum(impressions) as impressions,
            sum(clicks) as clicks,
            cast(sum(spend_local) * 1000000 as decimal(38, 6)) as cost_micros,
            sum(conversions) as conversions,
            sum(conversions_value_local) as conversions_value,
        from {{ ref("fct_ad_performance_daily") }}
        where source = 'google_ads'
        group by account_id
    )
    (
        select *, 'reported and not published' as difference,
        from reported
        except
        select *, 'reported and not published',
        from published
    )
union all
(
    select *, 'published and not reported' as difference,
    from published
    except
    select *, 'published and not reported',
    from reported
)
