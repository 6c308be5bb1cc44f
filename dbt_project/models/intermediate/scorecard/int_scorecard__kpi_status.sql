with

    kpis as (select distinct kpi_id from {{ ref("kpi_definitions") }}),

    statuses as (
        select * from {{ source("ops", "stream_status") }} where as_of_date = {{ as_of_date() }}
    ),

    needed as (
        select
            kpis.kpi_id,
            kpi_sources.source,
            coalesce(statuses.account_name, kpi_sources.source) as account_name,
            kpi_sources.restatement_days,
            statuses.loaded_through,
            statuses.expected_through,
            coalesce(statuses.loaded_through < statuses.expected_through, true) as is_late
        from kpis
        inner join {{ ref("kpi_sources") }} as kpi_sources on kpis.kpi_id = kpi_sources.kpi_id
        left join
            statuses
            on kpi_sources.source = statuses.source
            and kpi_sources.stream = statuses.stream
    ),

    lags as (
        select kpi_id, max(value) as lag_days
        from {{ ref("int_scorecard__parameters") }}
        where parameter = 'lag_days' and {{ as_of_date() }} between valid_from and valid_until
        group by kpi_id
    ),

    -- A KPI without a source is about our own runs, which are complete through the night's date.
    status as (
        select
            kpis.kpi_id,
            {{ history_start() }}
            + cast(coalesce(any_value(lags.lag_days), 0) as integer) as data_from,
            case
                when count(needed.source) = 0
                then {{ as_of_date() }}
                when count(needed.source) = count(needed.loaded_through)
                then least(min(needed.loaded_through), {{ as_of_date() }})
            end as data_through,
            least(
                coalesce(min(needed.expected_through), {{ as_of_date() }}), {{ as_of_date() }}
            ) as expected_through,
            cast(coalesce(max(needed.restatement_days), 0) as integer) as restatement_days,
            string_agg(
                distinct needed.account_name, ' and ' order by needed.account_name
            ) as accounts,
            string_agg(distinct needed.account_name, ' and ' order by needed.account_name) filter (
                where needed.is_late
            ) as late_accounts
        from kpis
        left join needed on kpis.kpi_id = needed.kpi_id
        left join lags on kpis.kpi_id = lags.kpi_id
        group by kpis.kpi_id
    )

select *
from status
