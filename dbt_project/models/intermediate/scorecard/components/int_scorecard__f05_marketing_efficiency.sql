with

    won as (
        select close_date as component_date, sum(amount) as amount, count(*) as deals
        from {{ ref("int_crm__deals") }}
        where is_won and close_date is not null
        group by close_date
    ),

    spend as (
        select component_date, spend, observations
        from {{ ref("int_scorecard__ad_measures") }}
        where segment_type = 'company'
    )

select
    'F05' as kpi_id,
    'company' as segment_type,
    'company' as segment,
    component_date,
    cast(coalesce(won.amount, 0) as decimal(18, 6)) as numerator,
    coalesce(spend.spend, 0) as denominator,
    cast(null as decimal(18, 6)) as squares,
    coalesce(won.deals, 0) + coalesce(spend.observations, 0) as observations
from won
full join spend using (component_date)
