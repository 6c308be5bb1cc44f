with
    won_deals as (
        select
            *,
            case
                when company_id is null then 'deal:' || deal_id else 'company:' || company_id
            end as customer_id,
        from {{ ref("int_crm__deals") }}
        where is_won and close_date <= {{ as_of_date() }}
    ),
    first_deals as (
        select customer_id, account_id, deal_id, close_date, channel,
        from won_deals
        qualify
            row_number() over (
                partition by account_id, customer_id
                order by close_date, try_cast(deal_id as hugeint) nulls last, deal_id
            )
            = 1
    )
select *
from first_deals
