-- In plain words: what stands above the line, what below it (only a ratio has that), and by what.
select kpi_id, valid_from
from {{ ref("kpi_definitions") }}
where
    coalesce(trim(numerator), '') = ''
    or coalesce(trim(grain), '') = ''
    or (coalesce(trim(denominator), '') = '') != (calculation in ('sum', 'median'))
