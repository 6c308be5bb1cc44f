-- From one night to the next a day of some age changes by some share of itself: all the changes
-- that were seen, up or down, over all that was there. Where nothing was there at an age, it is
-- held
-- against a usual day. These steps multiply from the day's age to the end of its vendor's window. A
-- step that was never seen leaves all younger ages unknown. Of what is no sum of days, a median or
-- a velocity, the value through a day takes the place of the day.
with

    seen as (
        select
            kpi_id, part, 'day' as period_type, source, account, component_date, as_of_date, amount
        from {{ ref("int_scorecard__day_totals") }}
        where is_whole
        union all
        select
            kpi_id, part, 'day' as period_type, source, account, component_date, as_of_date, amount
        from {{ ref("int_scorecard__record_totals") }}
        union all
        select kpi_id, part, period_type, source, account, component_date, as_of_date, amount
        from {{ ref("int_scorecard__past_values") }}
    ),

    windows as (
        select kpi_id, cast(max(restatement_days) as integer) as restatement_days
        from {{ ref("kpi_sources") }}
        where restatement_days > 0
        group by kpi_id
    ),

    parts as (
        select
            kpi_id,
            part,
            unnest(if(part = 'value', ['day', 'week', 'month', 'quarter'], ['day'])) as period_type,
            cast(max(restatement_days - lag_days) as integer) as moving_days
        from {{ ref("int_scorecard__moving_parts") }}
        group by kpi_id, part
    ),

    ages as (
        select
            parts.kpi_id,
            parts.part,
            parts.period_type,
            ages.age,
            cast(greatest(parts.moving_days - ages.age, 0) as integer) as nights_to_go
        from parts
        inner join
            (select kpi_id, unnest(range(restatement_days)) as age from windows) as ages using (
                kpi_id
            )
    ),

    changes as (
        select
            before.kpi_id,
            before.part,
            before.period_type,
            before.as_of_date - before.component_date as age,
            count(*) as days,
            sum(abs(later.amount - before.amount)) as changed,
            sum(abs(before.amount)) as there
        from seen as before
        inner join
            seen as later
            on before.kpi_id = later.kpi_id
            and before.part = later.part
            and before.period_type = later.period_type
            and before.source = later.source
            and before.account = later.account
            and before.component_date = later.component_date
            and later.as_of_date = before.as_of_date + 1
        where before.component_date <= before.as_of_date
        group by all
    ),

    seen_steps as (
        select
            ages.*,
            changes.changed / nullif(
                if(
                    changes.there > 0,
                    changes.there,
                    changes.days
                    * sum(changes.there) over kpi_part
                    / sum(changes.days) over kpi_part
                ),
                0
            ) as step
        from ages
        left join changes using (kpi_id, part, period_type, age)
        where ages.nights_to_go > 0
        window kpi_part as (partition by ages.kpi_id, ages.part, ages.period_type)
    ),

    chained as (
        select
            kpi_id,
            part,
            period_type,
            age,
            list(1 + step) filter (where step is not null) over (
                partition by kpi_id, part, period_type order by age desc
            ) as factors
        from seen_steps
    ),

    movements as (
        select
            ages.kpi_id,
            ages.part,
            ages.period_type,
            cast(ages.age as integer) as age,
            cast(
                case
                    when ages.nights_to_go = 0
                    then 0
                    when len(chained.factors) = ages.nights_to_go
                    then least(list_reduce(chained.factors, lambda a, b:a * b) - 1, 999)
                end as decimal(9, 6)
            ) as movement
        from ages
        left join chained using (kpi_id, part, period_type, age)
    )

select *
from movements
