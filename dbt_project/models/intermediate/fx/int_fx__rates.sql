with
    seeded as (select * from {{ ref("fx_rates") }}),
    to_reporting as (
        select from_currency as currency_code, valid_from, rate as fx_rate,
        from seeded
        where
            to_currency = '{{ var("reporting_currency") }}'
            and from_currency != '{{ var("reporting_currency") }}'
    ),
    reporting_itself as (
        select
            '{{ var("reporting_currency") }}' as currency_code,
            date '1900-01-01' as valid_from,
            cast(1 as decimal(18, 8)) as fx_rate,
    ),
    unioned as (
        select *
        from to_reporting
        union all
        select *
        from reporting_itself
    )
select *
from unioned
