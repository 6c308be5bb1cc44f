with
    live_deals as (
        select
            *,
            {{ business_date("deal_created_at") }} as created_date,
            {{ business_date("close_at") }} as close_date,
        from {{ ref("stg_hubspot__deals") }}
        where
            not is_deleted
            and not coalesce(is_archived, false)
            and {{ business_date("deal_created_at") }} <= {{ as_of_date() }}
    ),
    associations as (select * from {{ ref("int_crm__deal_associations") }}),
    contacts as (select * from {{ ref("int_crm__contacts") }}),
    companies as (
        select *
        from {{ ref("stg_hubspot__companies") }}
        where not is_deleted and not coalesce(is_archived, false)
    ),
    stages as (select * from {{ ref("int_crm__stages") }}),
    entries as (select * from {{ ref("int_crm__deal_stage_entries") }}),
    accounts as (select * from {{ ref("int_ops__accounts") }} where source = 'hubspot'),
    rates as (select * from {{ ref("int_fx__rates") }}),
    deal_contacts as (
        select associations.account_id, associations.deal_id, contacts.contact_id, contacts.channel,
        from associations
        inner join
            contacts
            on associations.account_id = contacts.account_id
            and associations.object_id = contacts.contact_id
        where associations.object_kind = 'contact'
        qualify
            row_number() over (
                partition by associations.account_id, associations.deal_id
                order by try_cast(contacts.contact_id as hugeint) nulls last, contacts.contact_id
            )
            = 1
    ),
    deal_companies as (
        select associations.account_id, associations.deal_id, companies.company_id,
        from associations
        inner join
            companies
            on associations.account_id = companies.account_id
            and associations.object_id = companies.company_id
        where associations.object_kind = 'company'
        qualify
            row_number() over (
                partition by associations.account_id, associations.deal_id
                order by try_cast(companies.company_id as hugeint) nulls last, companies.company_id
            )
            = 1
    ),
    progress as (
        select
            account_id,
            deal_id,
            min(entered_date) filter (where not is_first_stage) as qualified_date,
            max(entered_date) as last_stage_change_date,
        from entries
        group by account_id, deal_id
    ),
    joined as (
        select
            live_deals.deal_id,
            live_deals.account_id,
            deal_companies.company_id,
            deal_contacts.contact_id,
            coalesce(deal_contacts.channel, 'unknown') as channel,
            live_deals.pipeline_id,
            live_deals.stage_id,
            stages.stage_name,
            coalesce(stages.is_closed_stage, false) as is_closed,
            coalesce(stages.is_won_stage, false) as is_won,
            live_deals.created_date,
            live_deals.close_date,
            coalesce(live_deals.currency_code, accounts.currency_code) as currency_code,
            live_deals.amount as amount_local,
            live_deals.deal_type,
            progress.qualified_date,
            progress.last_stage_change_date,
        from live_deals
        left join
            deal_companies
            on live_deals.account_id = deal_companies.account_id
            and live_deals.deal_id = deal_companies.deal_id
        left join
            deal_contacts
            on live_deals.account_id = deal_contacts.account_id
            and live_deals.deal_id = deal_contacts.deal_id
        left join
            stages
            on live_deals.account_id = stages.account_id
            and live_deals.stage_id = stages.stage_id
        left join accounts on live_deals.account_id = accounts.account_id
        left join
            progress
            on live_deals.account_id = progress.account_id
            and live_deals.deal_id = progress.deal_id
    ),
    dated as (
        select
            *,
            case
                when is_closed then coalesce(close_date, created_date) else created_date
            end as fx_date,
        from joined
    ),
    converted as (
        select
            dated.deal_id,
            dated.account_id,
            dated.company_id,
            dated.contact_id,
            dated.channel,
            dated.pipeline_id,
            dated.stage_id,
            dated.stage_name,
            dated.is_closed,
            dated.is_won,
            dated.created_date,
            dated.close_date,
            dated.currency_code,
            cast(dated.amount_local as decimal(18, 6)) as amount_local,
            {{ to_reporting_currency("dated.amount_local", "rates.fx_rate") }} as amount,
            dated.fx_date,
            rates.fx_rate,
            dated.deal_type,
            dated.qualified_date,
            dated.last_stage_change_date,
            case
                when dated.is_closed then date_diff('day', dated.created_date, dated.close_date)
            end as cycle_days,
        from dated
        asof left join
            rates on dated.currency_code = rates.currency_code and dated.fx_date >= rates.valid_from
    )
select *
from converted
