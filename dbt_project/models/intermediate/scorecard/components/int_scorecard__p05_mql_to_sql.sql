with

    cohort as (
        select
            leads.marketing_qualified_date,
            leads.channel,
            coalesce(
                leads.sales_passed_at
                <= leads.marketing_qualified_at + to_hours(24 * cast(parameters.value as integer)),
                false
            ) as has_passed
        from {{ ref("int_crm__leads") }} as leads
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'P05'
            and parameters.parameter = 'cohort_days'
            and leads.marketing_qualified_date >= parameters.valid_from
            and leads.marketing_qualified_date < parameters.valid_until
    )

select
    'P05' as kpi_id,
    if(grouping(channel) = 0, 'channel', 'company') as segment_type,
    coalesce(channel, 'company') as segment,
    marketing_qualified_date as component_date,
    cast(count(*) filter (where has_passed) as decimal(18, 6)) as numerator,
    cast(count(*) as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    count(*) as observations
from cohort
group by grouping sets ((marketing_qualified_date), (marketing_qualified_date, channel))
