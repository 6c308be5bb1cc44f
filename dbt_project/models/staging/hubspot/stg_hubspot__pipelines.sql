with
    source as (select * from {{ source("hubspot", "pipelines") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            pipeline_id,
            -- strings
            label,
            -- booleans
            _is_deleted as is_deleted,
            -- nested
            stages,
        from source
    )
select *
from renamed
