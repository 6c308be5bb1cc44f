select
    cast(null as varchar) as contact_id,
    cast(null as varchar) as account_id,
    cast(null as date) as created_date,
    cast(null as varchar) as channel,
    cast(null as boolean) as is_paid,
    cast(null as varchar) as analytics_source,
    cast(null as varchar) as campaign_id,
    cast(null as timestamptz) as marketing_qualified_at,
    cast(null as date) as marketing_qualified_date,
    cast(null as timestamptz) as sales_passed_at,
    cast(null as date) as sales_passed_date,
where false
