with
    listed as (
        select account_id, deal_id, 'contact' as object_kind, associated,
        from {{ ref("stg_hubspot__deal_contacts") }}
        where not is_deleted
        union all
        select account_id, deal_id, 'company' as object_kind, associated,
        from {{ ref("stg_hubspot__deal_companies") }}
        where not is_deleted
    ),
    unnested as (
        select account_id, deal_id, object_kind, unnest(from_json(associated, '["JSON"]')) as item,
        from listed
    ),
    associations as (
        select distinct account_id, deal_id, object_kind, item ->> '$.toObjectId' as object_id,
        from unnested
    )
select *
from associations
