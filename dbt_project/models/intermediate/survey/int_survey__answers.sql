select
    cast(null as varchar) as account_id,
    cast(null as varchar) as form_id,
    cast(null as varchar) as survey_kind,
    cast(null as varchar) as response_token,
    cast(null as timestamptz) as submitted_at,
    cast(null as date) as submitted_date,
    cast(null as varchar) as contact_id,
    cast(null as bigint) as score,
    cast(null as bigint) as scale_min,
    cast(null as bigint) as scale_max,
    cast(null as boolean) as is_last_in_month,
where false
