-- From one night to the next a day of some age changes by some share of itself: all the changes
-- that were seen, up or down, over all that was there. These steps multiply from the day's age to
-- the end of its vendor's window. A step that was never seen leaves all younger ages unknown.
with

    day_totals as (select * from {{ ref("int_scorecard__day_totals") }} where is_whole),

    measures as (select distinct kpi_id, part, source, stream from {{ ref("kpi_measures") }}),

    parts as (select distinct kpi_id, part from measures),

    streams as (select distinct kpi_id, source, stream, true as shows_days from measures),

    -- Left out: a KPI with a vendor that sends changed records, which show no day as it was.
    windows as (
        select
            kpi_sources.kpi_id,
            cast(max(kpi_sources.restatement_days) as integer) as restatement_days
        from {{ ref("kpi_sources") }} as kpi_sources
        left join streams using (kpi_id, source, stream)
        where kpi_sources.restatement_days > 0
        group by kpi_sources.kpi_id
        having bool_and(coalesce(streams.shows_days, false))
    ),

    ages as (
        select
            parts.kpi_id,
            parts.part,
            windows.restatement_days,
            unnest(range(windows.restatement_days)) as age
        from windows
        inner join parts using (kpi_id)
    ),

    steps as (
        select
            before.kpi_id,
            before.part,
            before.age,
            sum(abs(later.amount - before.amount)) / nullif(sum(abs(before.amount)), 0) as step
        from day_totals as before
        inner join
            day_totals as later
            on before.kpi_id = later.kpi_id
            and before.part = later.part
            and before.source = later.source
            and before.account = later.account
            and before.component_date = later.component_date
            and later.as_of_date = before.as_of_date + 1
        group by before.kpi_id, before.part, before.age
    ),

    chained as (
        select
            ages.kpi_id,
            ages.part,
            ages.age,
            ages.restatement_days,
            list(1 + steps.step) filter (where steps.step is not null) over (
                partition by ages.kpi_id, ages.part order by ages.age desc
            ) as factors
        from ages
        left join
            steps on ages.kpi_id = steps.kpi_id and ages.part = steps.part and ages.age = steps.age
    ),

    movements as (
        select
            kpi_id,
            part,
            cast(age as integer) as age,
            case
                when len(factors) = restatement_days - age
                then cast(least(list_reduce(factors, lambda a, b:a * b) - 1, 999) as decimal(9, 6))
            end as movement
        from chained
    )

select *
from movements
