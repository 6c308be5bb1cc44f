with
    statuses as (select * from {{ ref("stg_ops__stream_status") }}),
    newest as (
        select source, account_id, account_name, currency_code, time_zone,
        from statuses
        where as_of_date <= {{ as_of_date() }}
        qualify
            row_number() over (
                partition by source, account_id
                order by as_of_date desc, currency_code nulls last, stream
            )
            = 1
    )
select *
from newest
