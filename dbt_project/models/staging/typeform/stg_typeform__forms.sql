with
    source as (select * from {{ source("typeform", "forms") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            form_id,
            -- strings
            title,
            -- booleans
            _is_deleted as is_deleted,
            -- nested
            fields,
            hidden,
        from source
    )
select *
from renamed
