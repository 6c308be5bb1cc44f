select
    cast(null as varchar) as account_id,
    cast(null as varchar) as form_id,
    cast(null as varchar) as survey_kind,
    cast(null as date) as landed_date,
    cast(null as varchar) as response_token,
    cast(null as boolean) as is_finished,
where false
