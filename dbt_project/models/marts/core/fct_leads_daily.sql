with
    leads as (select * from {{ ref("int_crm__leads") }}),
    events as (
        select created_date as event_date, channel, is_paid, 'lead' as event,
        from leads
        union all
        select marketing_qualified_date as event_date, channel, is_paid, 'mql' as event,
        from leads
        union all
        select sales_passed_date as event_date, channel, is_paid, 'sql' as event,
        from leads
    ),
    counted as (
        select
            event_date,
            channel,
            is_paid,
            count(*) filter (where event = 'lead') as leads,
            count(*) filter (where event = 'mql') as mqls,
            count(*) filter (where event = 'sql') as sqls,
        from events
        where event_date is not null
        group by event_date, channel, is_paid
    )
select *
from counted
order by event_date, channel, is_paid
