with
    source as (select * from {{ source("hubspot", "contacts") }}),
    renamed as (
        select
            -- ids
            _account as account_id,
            contact_id,
            owner_id,
            -- strings
            lifecycle_stage,
            analytics_source,
            utm_campaign,
            merged_contact_ids,
            -- booleans
            is_archived,
            _is_deleted as is_deleted,
            -- times
            created_at,
            updated_at,
            archived_at,
            lead_at,
            marketing_qualified_at,
            sales_qualified_at,
            opportunity_at,
            customer_at,
            first_engaged_at,
        from source
    )
select *
from renamed
