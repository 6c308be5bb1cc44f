select
    cast(null as varchar) as deal_id,
    cast(null as varchar) as account_id,
    cast(null as bigint) as entry_number,
    cast(null as varchar) as stage_id,
    cast(null as timestamptz) as entered_at,
    cast(null as date) as entered_date,
    cast(null as boolean) as is_first_stage,
    cast(null as boolean) as is_closed_stage,
where false
