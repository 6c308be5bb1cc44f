select
    cast(null as varchar) as customer_id,
    cast(null as varchar) as account_id,
    cast(null as varchar) as deal_id,
    cast(null as date) as close_date,
    cast(null as varchar) as channel,
where false
