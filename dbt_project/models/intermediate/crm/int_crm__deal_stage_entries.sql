with
    deals as (
        select *
        from {{ ref("stg_hubspot__deals") }}
        where
            not is_deleted
            and not coalesce(is_archived, false)
            and {{ business_date("deal_created_at") }} <= {{ as_of_date() }}
    ),
    stages as (select * from {{ ref("int_crm__stages") }}),
    histories as (
        select account_id, deal_id, from_json(stage_history, '["JSON"]') as entries, from deals
    ),
    -- the vendor lists the newest entry first
    unnested as (
        select
            account_id, deal_id, unnest(entries) as entry, generate_subscripts(entries, 1) as place,
        from histories
    ),
    entries as (
        select
            account_id,
            deal_id,
            place,
            entry ->> '$.value' as stage_id,
            cast(entry ->> '$.timestamp' as timestamptz) as entered_at,
        from unnested
    ),
    known_tonight as (
        select *, {{ business_date("entered_at") }} as entered_date,
        from entries
        where entered_at <= {{ now() }}
    ),
    numbered as (
        select
            known_tonight.deal_id,
            known_tonight.account_id,
            row_number() over (
                partition by known_tonight.account_id, known_tonight.deal_id
                order by known_tonight.entered_at, known_tonight.place desc
            ) as entry_number,
            known_tonight.stage_id,
            known_tonight.entered_at,
            known_tonight.entered_date,
            coalesce(stages.is_first_stage, false) as is_first_stage,
            coalesce(stages.is_closed_stage, false) as is_closed_stage,
        from known_tonight
        left join
            stages
            on known_tonight.account_id = stages.account_id
            and known_tonight.stage_id = stages.stage_id
        where known_tonight.entered_date <= {{ as_of_date() }}
    )
select *
from numbered
