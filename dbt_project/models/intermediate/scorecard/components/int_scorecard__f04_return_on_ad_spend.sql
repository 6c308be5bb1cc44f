select
    'F04' as kpi_id,
    segment_type,
    segment,
    component_date,
    conversions_value as numerator,
    spend as denominator,
    cast(null as decimal(18, 6)) as squares,
    observations
from {{ ref("int_scorecard__ad_measures") }}
