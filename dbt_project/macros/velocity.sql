{# What the pipeline was worth a day on each of `ends` (as_of_date, end_date, window_days, stale_days),
   as `deals` and their `stays` in a stage were known on as_of_date. #}
{% macro velocity(ends, deals, stays) -%}
    select
        closed_deals.as_of_date,
        closed_deals.end_date,
        coalesce(open_deals.open_count, 0) as open_count,
        cast(
            cast(
                coalesce(open_deals.open_count, 0)
                * closed_deals.won_count
                * closed_deals.won_amount as decimal(38, 6)
            )
            / nullif(closed_deals.closed_count * closed_deals.won_with_amount, 0) as decimal(18, 6)
        ) as expected_amount,
        cast(closed_deals.cycle_days as decimal(18, 6)) as cycle_days
    from
        (
            select
                ends.as_of_date,
                ends.end_date,
                count(*) as closed_count,
                count(*) filter (where deals.is_won) as won_count,
                sum(deals.amount) filter (where deals.is_won) as won_amount,
                count(deals.amount) filter (where deals.is_won) as won_with_amount,
                median(date_diff('day', deals.created_date, deals.close_date)) filter (
                    where deals.is_won
                ) as cycle_days
            from {{ deals }} as deals
            inner join
                {{ ends }} as ends
                on deals.close_date <= ends.end_date
                and deals.close_date > ends.end_date - ends.window_days
                and {{ seen_on("ends.as_of_date", "deals") }}
                and deals.created_date <= ends.as_of_date
            where deals.is_closed
            group by ends.as_of_date, ends.end_date
        ) as closed_deals
    left join
        (
            select ends.as_of_date, ends.end_date, count(*) as open_count
            from {{ deals }} as deals
            inner join
                {{ stays }} as stays
                on deals.account_id = stays.account_id
                and deals.deal_id = stays.deal_id
                and deals.known_until = stays.known_until
            inner join
                {{ ends }} as ends
                on ends.end_date >= stays.entered_date
                and ends.end_date < stays.left_date
                and ends.end_date <= stays.entered_date + ends.stale_days
                and ends.end_date >= deals.created_date
                and ends.end_date >= deals.qualified_date
                and (not deals.is_closed or deals.close_date > ends.end_date)
                and {{ seen_on("ends.as_of_date", "deals") }}
            group by ends.as_of_date, ends.end_date
        ) as open_deals
        on closed_deals.as_of_date = open_deals.as_of_date
        and closed_deals.end_date = open_deals.end_date
{%- endmacro %}
