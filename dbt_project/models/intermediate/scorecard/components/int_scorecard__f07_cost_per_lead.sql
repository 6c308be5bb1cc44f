with

    paid_leads as (
        select
            if(grouping(channel) = 0, 'channel', 'company') as segment_type,
            coalesce(channel, 'company') as segment,
            created_date as component_date,
            count(*) as leads
        from {{ ref("int_crm__leads") }}
        where is_paid
        group by grouping sets ((created_date), (created_date, channel))
    ),

    spend as (
        select segment_type, segment, component_date, spend, observations
        from {{ ref("int_scorecard__ad_measures") }}
        where segment_type in ('company', 'channel')
    )

select
    'F07' as kpi_id,
    segment_type,
    segment,
    component_date,
    coalesce(spend.spend, 0) as numerator,
    cast(coalesce(paid_leads.leads, 0) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    coalesce(spend.observations, 0) + coalesce(paid_leads.leads, 0) as observations
from spend
full join paid_leads using (segment_type, segment, component_date)
