with

    periods as (
        select distinct period_type, period_start, period_end
        from {{ ref("int_scorecard__period_days") }}
    )

select *
from periods
