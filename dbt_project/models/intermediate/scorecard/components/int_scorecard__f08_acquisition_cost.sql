-- Day d pairs the customers won on d with what was spent lag_days before d. Days whose spend lies
-- before the history are left out, customers and spend alike.
with

    spend as (
        select
            measures.segment_type,
            measures.segment,
            period_days.calendar_date as component_date,
            measures.spend,
            measures.observations
        from {{ ref("int_scorecard__period_days") }} as period_days
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'F08'
            and parameters.parameter = 'lag_days'
            and period_days.calendar_date >= parameters.valid_from
            and period_days.calendar_date < parameters.valid_until
        inner join
            {{ ref("int_scorecard__ad_measures") }} as measures
            on measures.component_date
            = period_days.calendar_date - cast(parameters.value as integer)
        where period_days.period_type = 'day' and measures.segment_type in ('company', 'channel')
    ),

    new_customers as (
        select
            if(grouping(customers.channel) = 0, 'channel', 'company') as segment_type,
            coalesce(customers.channel, 'company') as segment,
            customers.close_date as component_date,
            count(*) as customers
        from {{ ref("int_crm__new_customers") }} as customers
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'F08'
            and parameters.parameter = 'lag_days'
            and customers.close_date >= parameters.valid_from
            and customers.close_date < parameters.valid_until
        where customers.close_date >= {{ history_start() }} + cast(parameters.value as integer)
        group by grouping sets ((customers.close_date), (customers.close_date, customers.channel))
    )

select
    'F08' as kpi_id,
    segment_type,
    segment,
    component_date,
    coalesce(spend.spend, 0) as numerator,
    cast(coalesce(new_customers.customers, 0) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    coalesce(spend.observations, 0) + coalesce(new_customers.customers, 0) as observations
from spend
full join new_customers using (segment_type, segment, component_date)
