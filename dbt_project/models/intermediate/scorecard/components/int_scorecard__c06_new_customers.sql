select
    'C06' as kpi_id,
    if(grouping(channel) = 0, 'channel', 'company') as segment_type,
    coalesce(channel, 'company') as segment,
    close_date as component_date,
    cast(count(*) as decimal(18, 6)) as numerator,
    cast(null as decimal(18, 6)) as denominator,
    cast(null as decimal(18, 6)) as squares,
    count(*) as observations
from {{ ref("int_crm__new_customers") }}
group by grouping sets ((close_date), (close_date, channel))
