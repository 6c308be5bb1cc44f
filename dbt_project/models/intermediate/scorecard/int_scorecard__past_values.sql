-- What is no sum of days, as each night saw it: the value of each kind of period through each of
-- the
-- last days. A night counts when it saw all accounts.
with

    nights as (
        select kpi_id, as_of_date, max(restatement_days) as restatement_days
        from {{ ref("int_past__nights") }} as nights
        where kpi_id in ('P07', 'P08')
        group by kpi_id, as_of_date
        having
            count(*) = (
                select count(distinct account_id)
                from {{ ref("int_past__nights") }} as accounts
                where accounts.kpi_id = nights.kpi_id
            )
    ),

    ends as (
        select
            nights.kpi_id,
            nights.as_of_date,
            period_days.calendar_date as end_date,
            period_days.period_type,
            period_days.period_start
        from nights
        inner join
            {{ ref("int_scorecard__period_days") }} as period_days
            on period_days.calendar_date
            between nights.as_of_date - nights.restatement_days and nights.as_of_date
    ),

    past_deals as (select * from {{ ref("int_past__deals") }}),

    histories as (
        select
            account_id,
            deal_id,
            known_until,
            unnest(entries) as entry,
            generate_subscripts(entries, 1) as place
        from
            (
                select
                    account_id,
                    deal_id,
                    known_until,
                    from_json(stage_history, '["JSON"]') as entries
                from past_deals
                where not is_closed or close_date >= {{ first_learned_night() }} - 100
            ) as lately_open
    ),

    entries as (
        select
            histories.account_id,
            histories.deal_id,
            histories.known_until,
            histories.place,
            cast((histories.entry ->> '$.timestamp') as timestamptz) as entered_at,
            coalesce(stages.is_first_stage, false) as is_first_stage
        from histories
        left join
            {{ ref("int_crm__stages") }} as stages
            on histories.account_id = stages.account_id
            and (histories.entry ->> '$.value') = stages.stage_id
    ),

    stays as (
        select
            account_id,
            deal_id,
            known_until,
            is_first_stage,
            {{ business_date("entered_at") }} as entered_date,
            {{
                business_date(
                    "lead(entered_at) over (partition by account_id, deal_id, known_until order by entered_at, place desc)"
                )
            }}
            as next_date
        from entries
    ),

    closed_stays as (
        select
            account_id,
            deal_id,
            known_until,
            entered_date,
            coalesce(next_date, date '9999-12-31') as left_date
        from stays
    ),

    qualified as (
        select
            account_id,
            deal_id,
            known_until,
            min(entered_date) filter (where not is_first_stage) as qualified_date
        from stays
        group by account_id, deal_id, known_until
    ),

    deals as (
        select past_deals.*, qualified.qualified_date
        from past_deals
        left join qualified using (account_id, deal_id, known_until)
    ),

    velocity_ends as (
        select
            ends.as_of_date,
            ends.end_date,
            cast(
                max(parameters.value) filter (where parameters.parameter = 'window_days') as integer
            ) as window_days,
            cast(
                max(parameters.value) filter (where parameters.parameter = 'stale_days') as integer
            ) as stale_days
        from ends
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.kpi_id = 'P08'
            and {{ holds_on("parameters", "ends.end_date") }}
        where ends.kpi_id = 'P08'
        group by ends.as_of_date, ends.end_date
    ),

    velocity as ({{ velocity("velocity_ends", "deals", "closed_stays") }}),

    cycles as (
        select
            ends.as_of_date,
            ends.end_date,
            ends.period_type,
            median(date_diff('day', deals.created_date, deals.close_date)) as cycle_days
        from ends
        inner join
            deals
            on deals.close_date
            between greatest(ends.period_start, {{ history_start() }}) and ends.end_date
            and {{ seen_on("ends.as_of_date", "deals") }}
            and deals.created_date <= ends.as_of_date
        where ends.kpi_id = 'P07' and deals.is_won
        group by ends.as_of_date, ends.end_date, ends.period_type
    ),

    past_values as (
        select
            'P07' as kpi_id,
            period_type,
            end_date,
            as_of_date,
            cast(cycle_days as decimal(18, 6)) as amount
        from cycles
        union all
        select
            'P08' as kpi_id,
            ends.period_type,
            ends.end_date,
            ends.as_of_date,
            cast(
                velocity.expected_amount / nullif(velocity.cycle_days, 0) as decimal(18, 6)
            ) as amount
        from velocity
        inner join
            ends
            on ends.kpi_id = 'P08'
            and velocity.as_of_date = ends.as_of_date
            and velocity.end_date = ends.end_date
        where velocity.expected_amount is not null and velocity.cycle_days > 0
    )

select
    kpi_id,
    'value' as part,
    period_type,
    'all' as source,
    'all' as account,
    end_date as component_date,
    as_of_date,
    amount
from past_values
