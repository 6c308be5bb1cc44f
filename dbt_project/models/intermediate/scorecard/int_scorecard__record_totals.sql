-- What each night's records summed up to on each of the last days, one row a day, 0 where there was
-- nothing: the parts of KPIs whose vendors send records that change.
with

    deal_nights as (select * from {{ ref("int_past__nights") }} where source = 'hubspot'),

    won as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            deals.close_date as component_date,
            sum(deals.amount) as numerator,
            cast(null as decimal(18, 6)) as denominator
        from deal_nights as nights
        inner join
            {{ ref("int_past__deals") }} as deals
            on nights.account_id = deals.account_id
            and {{ seen_on("nights.as_of_date", "deals") }}
            and deals.created_date <= nights.as_of_date
            and deals.close_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
        where nights.kpi_id = 'F05' and deals.is_won
        group by all
    ),

    paid_leads as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            contacts.created_date as component_date,
            cast(null as decimal(18, 6)) as numerator,
            count(*) as denominator
        from deal_nights as nights
        inner join
            {{ ref("int_past__contacts") }} as contacts
            on nights.account_id = contacts.account_id
            and {{ seen_on("nights.as_of_date", "contacts") }}
            and contacts.created_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
        where nights.kpi_id = 'F07' and contacts.is_paid
        group by all
    ),

    cohorts as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            contacts.marketing_qualified_date as component_date,
            count(*) filter (
                where
                    contacts.sales_passed_at <= {{ now_on("nights.as_of_date") }}
                    and contacts.sales_passed_at
                    <= contacts.marketing_qualified_at
                    + to_hours(24 * cast(parameters.value as integer))
            ) as numerator,
            count(*) as denominator
        from deal_nights as nights
        inner join
            {{ ref("int_past__contacts") }} as contacts
            on nights.account_id = contacts.account_id
            and {{ seen_on("nights.as_of_date", "contacts") }}
            and contacts.created_date <= nights.as_of_date
            and contacts.marketing_qualified_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'P05'
            and parameters.parameter = 'cohort_days'
            and {{ holds_on("parameters", "contacts.marketing_qualified_date") }}
        where nights.kpi_id = 'P05'
        group by all
    ),

    new_customers as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            customers.close_date as component_date,
            count(*) as customers
        from deal_nights as nights
        inner join {{ ref("int_past__new_customers") }} as customers using (account_id, as_of_date)
        where nights.kpi_id in ('C06', 'F08')
        group by all
    ),

    scores as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            answers.submitted_date as component_date,
            case
                nights.kpi_id
                when 'C02'
                then count(*) filter (where answers.score >= 4)
                else
                    count(*) filter (where answers.score >= 9)
                    - count(*) filter (where answers.score <= 6)
            end as numerator,
            count(*) as denominator
        from {{ ref("int_past__nights") }} as nights
        inner join
            {{ ref("int_past__answers") }} as answers
            on nights.account_id = answers.account_id
            and nights.as_of_date = answers.as_of_date
            and (
                (nights.kpi_id = 'C01' and answers.survey_kind = 'nps' and answers.is_last_in_month)
                or (nights.kpi_id = 'C02' and answers.survey_kind = 'csat')
                or (nights.kpi_id = 'L05' and answers.survey_kind = 'pulse')
            )
        group by nights.kpi_id, nights.account_id, nights.as_of_date, answers.submitted_date
    ),

    completions as (
        select
            nights.kpi_id,
            nights.account_id,
            nights.as_of_date,
            started.landed_date as component_date,
            count(*) filter (where started.is_finished) as numerator,
            count(*) as denominator
        from {{ ref("int_past__nights") }} as nights
        inner join {{ ref("int_past__started") }} as started using (account_id, as_of_date)
        where nights.kpi_id = 'C05' and started.survey_kind in ('nps', 'csat')
        group by all
    ),

    sums as (
        select *
        from won
        union all
        select *
        from paid_leads
        union all
        select *
        from cohorts
        union all
        select
            * exclude (customers),
            if(kpi_id = 'C06', customers, null) as numerator,
            if(kpi_id = 'F08', customers, null) as denominator
        from new_customers
        union all
        select *
        from scores
        union all
        select *
        from completions
    ),

    days as (
        select
            nights.kpi_id,
            parts.part,
            nights.source,
            nights.account_id as account,
            nights.as_of_date,
            unnest(
                generate_series(
                    greatest(nights.as_of_date - nights.restatement_days, kpi_status.data_from),
                    nights.as_of_date,
                    interval 1 day
                )
            ) as component_date
        from {{ ref("int_past__nights") }} as nights
        inner join
            {{ ref("int_scorecard__moving_parts") }} as parts
            on nights.kpi_id = parts.kpi_id
            and nights.source = parts.source
            and not parts.is_measured
            and parts.part != 'value'
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on nights.kpi_id = kpi_status.kpi_id
    ),

    record_totals as (
        select
            days.kpi_id,
            days.part,
            days.source,
            days.account,
            cast(days.component_date as date) as component_date,
            days.as_of_date,
            cast(
                coalesce(
                    if(days.part = 'numerator', sums.numerator, sums.denominator), 0
                ) as decimal(18, 6)
            ) as amount
        from days
        left join
            sums
            on days.kpi_id = sums.kpi_id
            and days.account = sums.account_id
            and days.as_of_date = sums.as_of_date
            and days.component_date = sums.component_date
    )

select *
from record_totals
