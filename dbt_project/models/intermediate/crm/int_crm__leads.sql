with
    contacts as (
        select * from {{ ref("int_crm__contacts") }} where created_date <= {{ as_of_date() }}
    ),
    dated as (
        select
            *,
            {{ business_date("marketing_qualified_at") }} as qualified_on,
            {{ business_date("sales_passed_at") }} as passed_on,
        from contacts
    ),
    known_tonight as (
        select
            contact_id,
            account_id,
            created_date,
            channel,
            is_paid,
            analytics_source,
            campaign_id,
            case
                when qualified_on <= {{ as_of_date() }} then marketing_qualified_at
            end as marketing_qualified_at,
            case
                when qualified_on <= {{ as_of_date() }} then qualified_on
            end as marketing_qualified_date,
            case when sales_passed_at <= {{ now() }} then sales_passed_at end as sales_passed_at,
            case when passed_on <= {{ as_of_date() }} then passed_on end as sales_passed_date,
        from dated
    )
select *
from known_tonight
