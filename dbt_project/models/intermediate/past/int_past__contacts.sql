-- Contacts as they stood on each night, of those whose days may still have moved since.
with

    versions as (
        {{
            versions(
                "hubspot__contacts",
                ["contact_id"],
                [
                    "created_at",
                    "is_archived",
                    "analytics_source",
                    "marketing_qualified_at",
                    "sales_qualified_at",
                    "opportunity_at",
                    "customer_at",
                ],
                since="greatest(created_at, marketing_qualified_at)",
            )
        }}
    ),

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
        from versions
        where was_there and not is_deleted and not coalesce(is_archived, false)
    )

select *
from contacts
