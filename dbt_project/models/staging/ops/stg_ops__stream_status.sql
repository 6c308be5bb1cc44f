with
    source as (select * from {{ source("ops", "stream_status") }}),
    renamed as (
        select
            -- ids
            source,
            account as account_id,
            stream,
            -- strings
            account_name,
            currency as currency_code,
            time_zone,
            load,
            state,
            -- times
            as_of_date,
            expected_through as expected_through_date,
            loaded_through as loaded_through_date,
        from source
    )
select *
from renamed
