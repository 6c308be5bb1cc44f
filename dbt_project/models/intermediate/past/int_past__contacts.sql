-- Contacts as they stood on each night, of those whose days may still have moved since.
with

    versions as (
        select
            _account as account_id,
            contact_id,
            created_at,
            is_archived,
            analytics_source,
            marketing_qualified_at,
            sales_qualified_at,
            opportunity_at,
            customer_at,
            _is_deleted as is_deleted,
            _was_there as was_there,
            _until as known_until
        from {{ source("past", "hubspot__contacts") }}
        where _until > {{ first_learned_night() }}
        union all
        select
            account_id,
            contact_id,
            created_at,
            is_archived,
            analytics_source,
            marketing_qualified_at,
            sales_qualified_at,
            opportunity_at,
            customer_at,
            is_deleted,
            true as was_there,
            date '9999-12-31' as known_until
        from {{ ref("stg_hubspot__contacts") }}
        where
            greatest(created_at, marketing_qualified_at)
            >= cast({{ first_learned_night() }} - 100 as timestamp) at time zone 'UTC'
    ),

    dated as (select *, {{ known_from("account_id, contact_id") }} as known_from from versions),

    contacts as (
        select
            account_id,
            contact_id,
            known_from,
            known_until,
            {{ business_date("created_at") }} as created_date,
            coalesce(analytics_source in ('PAID_SEARCH', 'PAID_SOCIAL'), false) as is_paid,
            marketing_qualified_at,
            {{ business_date("marketing_qualified_at") }} as marketing_qualified_date,
            least(sales_qualified_at, opportunity_at, customer_at) as sales_passed_at
        from dated
        where was_there and not is_deleted and not coalesce(is_archived, false)
    )

select *
from contacts
