-- Deals as they stood on each night. What a stage means, and what money is worth, is as it is known
-- tonight.
with

    versions as (
        {{
            versions(
                "hubspot__deals",
                ["deal_id"],
                [
                    "stage_id",
                    "amount",
                    "currency_code",
                    "deal_created_at",
                    "close_at",
                    "stage_history",
                    "is_archived",
                ],
                renamed={"deal_created_at": "created_date", "close_at": "close_date"},
            )
        }}
    ),

    dated as (
        select
            *,
            {{ business_date("deal_created_at") }} as created_date,
            {{ business_date("close_at") }} as close_date
        from versions
    ),

    staged as (
        select
            dated.*,
            coalesce(stages.is_closed_stage, false) as is_closed,
            coalesce(stages.is_won_stage, false) as is_won,
            coalesce(dated.currency_code, accounts.currency_code) as paid_in,
            case
                when coalesce(stages.is_closed_stage, false)
                then coalesce(dated.close_date, dated.created_date)
                else dated.created_date
            end as fx_date
        from dated
        left join
            {{ ref("int_crm__stages") }} as stages
            on dated.account_id = stages.account_id
            and dated.stage_id = stages.stage_id
        left join
            {{ ref("int_ops__accounts") }} as accounts
            on accounts.source = 'hubspot'
            and dated.account_id = accounts.account_id
        where dated.was_there and not dated.is_deleted and not coalesce(dated.is_archived, false)
    ),

    deals as (
        select
            staged.account_id,
            staged.deal_id,
            staged.known_from,
            staged.known_until,
            staged.created_date,
            staged.close_date,
            staged.is_closed,
            staged.is_won,
            {{ to_reporting_currency("staged.amount", "rates.fx_rate") }} as amount,
            staged.stage_history
        from staged
        asof left join
            {{ ref("int_fx__rates") }} as rates
            on staged.paid_in = rates.currency_code
            and staged.fx_date >= rates.valid_from
    )

select *
from deals
