-- Read from what each batch summed up to when it was loaded, not from the rows that stand now:
-- what the night saw, and a total of its own for what the marts say now.
with

    totals as (
        select *
        from {{ source("ops", "day_totals") }}
        where as_of_date <= {{ as_of_date() }} and day <= as_of_date
        qualify
            row_number() over (
                partition by source, account, stream, measure, day, as_of_date
                order by sequence desc
            )
            = 1
    ),

    -- A row without a usable day may belong to any day of its batch.
    set_aside as (
        select distinct source, account, stream, batch_id, day
        from {{ source("ops", "quarantined_days") }}
    ),

    accounts as (select * from {{ ref("int_ops__accounts") }}),

    parts as (
        select
            measures.kpi_id,
            measures.part,
            totals.source,
            totals.account,
            totals.as_of_date,
            totals.sequence,
            cast(totals.as_of_date - totals.day as integer) as age,
            cast(totals.day + coalesce(cast(lags.value as integer), 0) as date) as component_date,
            cast(
                cast(totals.amount as decimal(24, 6)) * measures.scale as decimal(24, 6)
            ) as amount,
            if(
                measures.is_money, accounts.currency_code, '{{ var("reporting_currency") }}'
            ) as currency_code,
            totals.day,
            not exists (
                select 1
                from set_aside
                where
                    set_aside.source = totals.source
                    and set_aside.account = totals.account
                    and set_aside.stream = totals.stream
                    and set_aside.batch_id = totals.batch_id
                    and coalesce(set_aside.day, totals.day) = totals.day
            ) as is_whole
        from totals
        inner join {{ ref("kpi_measures") }} as measures using (source, stream, measure)
        inner join
            {{ ref("kpi_sources") }} as kpi_sources
            on measures.kpi_id = kpi_sources.kpi_id
            and measures.source = kpi_sources.source
            and measures.stream = kpi_sources.stream
        left join
            accounts on totals.source = accounts.source and totals.account = accounts.account_id
        left join
            {{ ref("int_scorecard__parameters") }} as lags
            on kpi_sources.kpi_id = lags.kpi_id
            and kpi_sources.lag = lags.parameter
            and totals.day + cast(lags.value as integer) >= lags.valid_from
            and totals.day + cast(lags.value as integer) < lags.valid_until
    ),

    day_totals as (
        select
            parts.kpi_id,
            parts.part,
            parts.source,
            parts.account,
            parts.component_date,
            parts.as_of_date,
            parts.age,
            {{ to_reporting_currency("parts.amount", "rates.fx_rate") }} as amount,
            parts.is_whole,
            row_number() over (
                partition by
                    parts.kpi_id, parts.part, parts.source, parts.account, parts.component_date
                order by parts.sequence desc
            )
            = 1 as is_newest
        from parts
        asof left join
            {{ ref("int_fx__rates") }} as rates
            on parts.currency_code = rates.currency_code
            and parts.day >= rates.valid_from
    )

select *
from day_totals
