-- The versions of one person do not overlap, and none ends before it begins.
select person_id, valid_from, valid_to
from {{ ref("people") }}
qualify
    valid_to < valid_from
    or coalesce(valid_to, date '9999-12-31')
    >= lead(valid_from) over (partition by person_id order by valid_from)
