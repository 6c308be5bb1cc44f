-- Today no perspective outweighs the others.
with

    current_perspectives as (
        select perspective_id, weight
        from {{ ref("perspectives") }}
        where valid_from <= {{ as_of_date() }}
        qualify row_number() over (partition by perspective_id order by valid_from desc) = 1
    )

select perspective_id, weight
from current_perspectives
qualify weight <= 0 or weight > 0.6 * sum(weight) over ()
