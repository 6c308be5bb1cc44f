-- Each company with a won deal is a new customer once, on the day of its first won deal.
with
    won as (
        select account_id, coalesce(company_id, 'deal ' || deal_id) as customer, close_date,
        from {{ ref("int_crm__deals") }}
        where is_won and close_date <= {{ as_of_date() }}
    ),
    firsts as (select min(close_date) as close_date, from won group by account_id, customer),
    expected as (select close_date, count(*) as customers, from firsts group by close_date),
    found as (
        select close_date, count(*) as customers,
        from {{ ref("int_crm__new_customers") }}
        group by close_date
    )
select expected.close_date as expected_date, found.close_date as found_date,
from expected
full outer join found on expected.close_date = found.close_date
where expected.customers is distinct from found.customers
