-- What of a KPI its vendors may still rewrite, and for how long. A part is measured by day, as ads
-- are, or counts records that change; a median or velocity is seen as a whole.
with

    kpis as (
        select kpi_id, calculation
        from {{ ref("kpi_definitions") }}
        qualify row_number() over (partition by kpi_id order by valid_from desc) = 1
    ),

    parts as (
        select
            kpi_id,
            unnest(
                case
                    calculation
                    when 'sum'
                    then ['numerator']
                    when 'ratio'
                    then ['numerator', 'denominator']
                    else ['value']
                end
            ) as part
        from kpis
    ),

    measured as (
        select
            measures.kpi_id,
            measures.part,
            measures.source,
            max(kpi_sources.restatement_days) as restatement_days,
            max(coalesce(lags.value, 0)) as lag_days
        from {{ ref("kpi_measures") }} as measures
        inner join {{ ref("kpi_sources") }} as kpi_sources using (kpi_id, source, stream)
        left join
            {{ ref("int_scorecard__parameters") }} as lags
            on kpi_sources.kpi_id = lags.kpi_id
            and kpi_sources.lag = lags.parameter
            and {{ holds_on("lags", as_of_date()) }}
        group by measures.kpi_id, measures.part, measures.source
    ),

    counted as (
        select
            kpi_sources.kpi_id,
            kpi_sources.source,
            max(kpi_sources.restatement_days) as restatement_days
        from {{ ref("kpi_sources") }} as kpi_sources
        anti join {{ ref("kpi_measures") }} as measures using (kpi_id, source, stream)
        where kpi_sources.restatement_days > 0
        group by kpi_sources.kpi_id, kpi_sources.source
    ),

    moving_parts as (
        select
            parts.kpi_id,
            parts.part,
            coalesce(measured.source, counted.source) as source,
            measured.kpi_id is not null as is_measured,
            cast(
                coalesce(measured.restatement_days, counted.restatement_days) as integer
            ) as restatement_days,
            cast(coalesce(measured.lag_days, 0) as integer) as lag_days
        from parts
        left join measured on parts.kpi_id = measured.kpi_id and parts.part = measured.part
        left join counted on parts.kpi_id = counted.kpi_id and measured.kpi_id is null
        where measured.kpi_id is not null or counted.kpi_id is not null
    )

select *
from moving_parts
