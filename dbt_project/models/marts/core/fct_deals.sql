with
    deals as (select * from {{ ref("int_crm__deals") }}),
    described as (
        select
            deal_id,
            account_id,
            company_id,
            channel,
            pipeline_id,
            stage_id,
            stage_name,
            is_closed,
            is_won,
            created_date,
            qualified_date,
            last_stage_change_date,
            close_date,
            cycle_days,
            currency_code,
            amount_local,
            amount,
            fx_date,
            cast(fx_rate as double) as fx_rate,
            deal_type,
        from deals
    )
select *
from described
order by created_date, account_id, deal_id
