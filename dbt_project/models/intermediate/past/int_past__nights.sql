-- A night teaches how a KPI's records move when all their streams came, were let through, and had
-- no row set aside.
with

    streams as (
        select
            kpi_sources.kpi_id, kpi_sources.source, kpi_sources.stream, kpi_sources.restatement_days
        from {{ ref("kpi_sources") }} as kpi_sources
        anti join {{ ref("kpi_measures") }} as measures using (kpi_id, source, stream)
        where kpi_sources.restatement_days > 0
    ),

    batches as (
        select
            source,
            account,
            stream,
            as_of_date,
            bool_and(state = 'passed' and rows_quarantined = 0) as is_whole
        from {{ source("ops", "loaded_batches") }}
        where as_of_date between {{ first_learned_night() }} and {{ as_of_date() }}
        group by source, account, stream, as_of_date
    ),

    needed as (
        select
            kpi_id,
            source,
            count(*) as streams,
            cast(max(restatement_days) as integer) as restatement_days
        from streams
        group by kpi_id, source
    ),

    nights as (
        select
            streams.kpi_id,
            streams.source,
            batches.account as account_id,
            batches.as_of_date,
            needed.restatement_days
        from streams
        inner join batches using (source, stream)
        inner join needed on streams.kpi_id = needed.kpi_id and streams.source = needed.source
        where batches.is_whole
        group by
            streams.kpi_id,
            streams.source,
            batches.account,
            batches.as_of_date,
            needed.streams,
            needed.restatement_days
        having count(*) = needed.streams
    )

select *
from nights
