select
    'P04' as kpi_id,
    segment_type,
    segment,
    component_date,
    conversions as numerator,
    clicks as denominator,
    cast(null as decimal(18, 6)) as squares,
    observations
from {{ ref("int_scorecard__ad_measures") }}
