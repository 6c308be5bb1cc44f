-- The marts of one night, in the shape that the transform leaves behind. Variables: as_of, factor.
create schema if not exists marts;
create or replace temp table kpis as
select *
from (values
    ('F01', 'Ad spend', 'financial', 'spend_to_plan', 'money', 'Rahul <b>B</b>', 98000.0, 100000.0, 0.82, 'green', 'verified', 'google_ads'),
    ('F04', 'Return on ad spend (platform)', 'financial', 'earn_more', 'ratio', 'Jonas Feldkamp', 3.42, 3.5, 0.61, 'amber', 'provisional', 'google_ads'),
    ('F05', 'Marketing efficiency ratio', 'financial', 'earn_more', 'ratio', 'Miriam Castellanos', 4.1, 4.0, 0.71, 'green', 'verified', 'google_ads, hubspot'),
    ('F07', 'Cost per lead', 'financial', 'win_cheaper', 'money', 'Jonas Feldkamp', 61.34, 55.0, 0.21, 'red', 'verified', 'google_ads, hubspot'),
    ('F08', 'Customer acquisition cost (advertising only)', 'financial', 'win_cheaper', 'money', 'Jonas Feldkamp', 812.5, 900.0, 0.77, 'green', 'verified', 'google_ads, hubspot'),
    ('C01', 'Net promoter score', 'customer', 'delight', 'points', 'Aylin Demirtas', 38.2, 40.0, 0.58, 'amber', 'stale', 'typeform'),
    ('C02', 'Customer satisfaction', 'customer', 'delight', 'percent', 'Aylin Demirtas', null, 85.0, null, 'no data', 'stale', 'typeform'),
    ('C05', 'Survey completion rate', 'customer', 'delight', 'percent', 'Aylin Demirtas', 71.0, 70.0, 0.7, 'green', 'stale', 'typeform'),
    ('C06', 'New customers', 'customer', 'win', 'count', 'Tobias Renner', 118.0, 110.0, 0.74, 'green', 'verified', 'hubspot'),
    ('P01', 'Click-through rate', 'process', 'reach', 'percent', 'Lea Vogelsang', 3.124, 3.5, 0.44, 'amber', 'suspect', 'google_ads'),
    ('P04', 'Conversion rate', 'process', 'reach', 'percent', 'Jonas Feldkamp', 5.2, 5.0, 0.69, 'green', 'provisional', 'google_ads'),
    ('P05', 'MQL to SQL rate', 'process', 'turn', 'percent', 'Tobias Renner', 22.5, 25.0, 0.5, 'amber', 'provisional', 'hubspot'),
    ('P07', 'Sales cycle', 'process', 'turn', 'days', 'Tobias Renner', 41.0, 38.0, 0.4, 'amber', 'verified', 'hubspot'),
    ('P08', 'Pipeline velocity', 'process', 'turn', 'money_per_day', 'Tobias Renner', 15200.0, 14000.0, 0.8, 'green', 'held', 'hubspot'),
    ('L05', 'Team eNPS', 'learning', 'team', 'points', 'Sofia Lindqvist', null, 20.0, null, 'no data', 'verified', 'typeform'),
    ('L07', 'Data-quality pass rate', 'learning', 'trust', 'percent', 'Grace Okonjo', 99.2, 99.0, 0.7, 'green', 'verified', '')
) as kpis (kpi_id, name, perspective_id, objective_id, unit, owner_name, value, target, score, band, dq_state, sources);

create or replace temp table nodes as
select *
from (values
    ('company', 'company', null, 'Northwind & Sons', 0.63, 0.9, 'amber', 'red', 1, 1),
    ('perspective', 'financial', 'company', 'Financial', 0.69, 1.0, 'green', 'red', 1, 1),
    ('perspective', 'customer', 'company', 'Customer', 0.66, 0.83, 'amber', 'amber', 0, 2),
    ('perspective', 'process', 'company', 'Internal process', 0.56, 1.0, 'amber', 'amber', 0, 3),
    ('perspective', 'learning', 'company', 'Learning and growth', null, 0.6, 'no data', 'green', 0, 4),
    ('objective', 'spend_to_plan', 'financial', 'Spend the budget as planned', 0.82, 1.0, 'green', 'green', 0, 1),
    ('objective', 'earn_more', 'financial', 'Earn more for each euro of advertising', 0.66, 1.0, 'amber', 'amber', 0, 2),
    ('objective', 'win_cheaper', 'financial', 'Win leads and customers at a lower cost', 0.55, 1.0, 'amber', 'red', 1, 3),
    ('objective', 'win', 'customer', 'Win new customers', 0.74, 1.0, 'green', 'green', 0, 1),
    ('objective', 'delight', 'customer', 'Customers recommend us', 0.6, 0.65, 'amber', 'amber', 0, 2),
    ('objective', 'reach', 'process', 'Reach the people who care', 0.6, 1.0, 'amber', 'amber', 0, 1),
    ('objective', 'turn', 'process', 'Turn interest into sales quickly', 0.57, 1.0, 'amber', 'amber', 0, 2),
    ('objective', 'team', 'learning', 'A team that likes working here', null, 0.0, 'no data', 'no data', 0, 1),
    ('objective', 'trust', 'learning', 'Decide on data we can trust', 0.7, 1.0, 'green', 'green', 0, 2)
) as nodes (node_type, node_id, parent_id, name, score, coverage, band, worst_status, red_count, position);

create or replace table marts.fct_ad_performance_daily as
select
    '4185550101' as account_id,
    'c' || c as campaign_id,
    if(c = 1, '<script>alert(1)</script>', 'Süd, "' || c || '" 🏔') as campaign_name,
    ['search', 'display', 'video'][c] as channel,
    d::date as report_date,
    (1000 * c)::bigint as impressions,
    (c * 10 + day(d))::bigint as clicks,
    (c * 1.25 * day(d))::decimal(18, 6) as spend,
    case when c = 3 then 0 else 7.125 * c end::decimal(18, 6) as conversions,
    case when c = 3 then null else c = 1 end as is_paid,
    case when c = 3 then null else 100.5 / 3 * c end::decimal(18, 6) as conversions_value,
    case when c = 3 then null else c / 3 end::double as ratio,
    d::timestamptz + interval 90 minute as seen_at
from range(1, 4) as campaigns (c),
    generate_series(
        getvariable('as_of')::timestamp - interval 9 day, getvariable('as_of')::timestamp, interval 1 day
    ) as days (d);

create or replace table marts.fct_kpi_values as
with periods as (
    select 'day' as period_type, d as period_start, d as period_end
    from generate_series(
        getvariable('as_of')::timestamp - interval 60 day, getvariable('as_of')::timestamp, interval 1 day
    ) as days (d)
    union all
    select 'month', m, last_day(m::date)::timestamp
    from generate_series(
        date_trunc('month', getvariable('as_of')::timestamp) - interval 7 month,
        getvariable('as_of')::timestamp,
        interval 1 month
    ) as months (m)
)
select
    kpi_id,
    period_type,
    period_start::date as period_start,
    'company' as segment_type,
    'all' as segment,
    period_end::date as period_end,
    period_end::date > getvariable('as_of') as is_running,
    case
        when kpi_id = 'C01' and period_type = 'day' and day(period_start) % 6 = 0 then null
        else value * (1 + 0.12 * sin(epoch(period_start) / 86400 / if(period_type = 'day', 4, 40)))
            * if(kpi_id = 'F01' and period_type = 'month', getvariable('factor'), 1)
    end::double as value,
    target::double as target,
    score::double as score,
    band,
    if(kpi_id in ('C01', 'P07'), 24, null)::bigint as n,
    kpi_id in ('C01', 'P07') as is_low_confidence,
    if(kpi_id = 'C01', 21.4, null)::double as margin,
    if(kpi_id = 'F01', 0.964, null)::double as pace,
    least(period_end::date, getvariable('as_of') - if(dq_state = 'stale', 3, 0)) as data_through,
    if(period_type = 'month' and period_end::date < getvariable('as_of'), 'verified', dq_state) as dq_state,
    1::bigint as definition_version,
    kpi_id != 'P05' or period_end::date + 90 <= getvariable('as_of') as is_mature,
    if(kpi_id = 'P05', period_end::date + 90, null) as matures_on
from kpis, periods;

create or replace table marts.fct_scorecard as
select
    'month' as period_type,
    m::date as period_start,
    last_day(m::date) as period_end,
    last_day(m::date) > getvariable('as_of') as is_running,
    node_type,
    node_id,
    parent_id,
    name,
    unit,
    (value * if(node_id = 'F01', getvariable('factor'), 1))::double as value,
    target::double as target,
    case node_id when 'C02' then 'no answers' when 'L05' then 'suppressed' end as no_data_reason,
    (score * (1 - 0.1 * abs(sin(month(m) + length(node_id)))))::double as score,
    band,
    score is not null and dq_state in ('verified', 'provisional') and node_id != 'F04' as is_band_shown,
    coverage::double as coverage,
    coverage::double as days_coverage,
    worst_status,
    red_count::bigint as red_count,
    1::bigint as kpi_count,
    0.1::double as weight,
    (0.1 * score)::double as contribution,
    'p01' as owner_id,
    owner_name,
    dq_state,
    case
        when node_type != 'kpi' and score is null
        then 'Only 60 % of the weight below is known, too little for a score.'
    else case dq_state
        when 'verified' then 'Complete and past all checks.'
        when 'provisional' then 'May still change until 30 June 2026: the data behind it are revised for 30 days.'
            || if(node_id = 'F04', ' It may move by ±14.2 %, as days of the same age did, and that could change its colour.', '')
        when 'stale' then 'The data of Northwind surveys end on 17 May 2026; later days are not in this number. That is 3 days behind.'
        when 'suspect' then '12 rows of Northwind DE were set aside as wrong, up to 0.4 % of what this number rests on.'
        else 'New data of Northwind CRM did not pass its checks and waits for a decision; the last good value is shown.'
    end end as dq_reason,
    getvariable('as_of') - if(dq_state = 'stale', 3, 0) as data_through,
    if(node_id = 'F04', 0.142, null)::double as may_move_by,
    if(node_type = 'kpi', if(dq_state = 'suspect', 0.996, 1), null)::double as rows_coverage,
    if(node_type = 'kpi', if(dq_state = 'stale', 0, 1), null)::bigint as accounts_present,
    if(node_type = 'kpi', 1, null)::bigint as accounts_expected,
    if(node_id in ('F01', 'F04', 'P01'), 0, null)::double as reconciliation_difference,
    case
        when node_type = 'kpi' then if(node_id = 'P05', m - interval 4 month, m)::date
    end as value_period_start
from (
    select
        node_type, node_id, parent_id, name, null as unit, null::double as value, null::double as target,
        score, band, coverage, worst_status, red_count, 'Miriam Castellanos' as owner_name,
        if(node_id in ('company', 'customer', 'delight'), 'stale', 'verified') as dq_state
    from nodes
    union all
    select
        'kpi', kpi_id, objective_id, name, unit, value, target, score, band,
        if(score is null, 0, 1), band, if(band = 'red', 1, 0), owner_name, dq_state
    from kpis
),
generate_series(
    date_trunc('month', getvariable('as_of')::timestamp) - interval 7 month,
    getvariable('as_of')::timestamp,
    interval 1 month
) as months (m);

-- The team pulse is shown by quarter only.
update marts.fct_kpi_values
set value = null, target = null, score = null, band = 'not scored'
where kpi_id = 'L05';

insert into marts.fct_kpi_values
select * replace (
    'quarter' as period_type,
    date_trunc('quarter', period_start)::date as period_start,
    (date_trunc('quarter', period_start) + interval 3 month - interval 1 day)::date as period_end,
    date_trunc('quarter', period_start) + interval 3 month > getvariable('as_of') as is_running,
    case
        when period_start = max(period_start) over () then 24
        when quarter(period_start) = 1 then 18
        else 12
    end as value,
    20 as target,
    0.8 as score,
    'green' as band
)
from marts.fct_kpi_values
where kpi_id = 'L05' and period_type = 'month'
qualify row_number() over (
    partition by date_trunc('quarter', period_start) order by period_start desc
) = 1;

insert into marts.fct_scorecard
select * replace (
    'quarter' as period_type,
    date_trunc('quarter', period_start)::date as period_start,
    (date_trunc('quarter', period_start) + interval 3 month - interval 1 day)::date as period_end,
    24 as value,
    20 as target,
    null as no_data_reason,
    0.8 as score,
    1 as coverage,
    'green' as band,
    'green' as worst_status,
    'provisional' as dq_state,
    'May still change until 30 June 2026: the period is not over yet.' as dq_reason,
    true as is_band_shown,
    date_trunc('quarter', period_start)::date as value_period_start
)
from marts.fct_scorecard
where node_id = 'L05'
qualify period_start = max(period_start) over ();

update marts.fct_scorecard
set target = null, score = null, band = 'not scored'
where node_id = 'L05' and period_type = 'month';

update marts.fct_scorecard
set
    score = null,
    band = 'not scored',
    is_band_shown = false,
    coverage = 0,
    worst_status = 'not scored',
    dq_reason = 'Scored by quarter: in a month it has no score and no weight.'
where node_id = 'team' and period_type = 'month';

create or replace table marts.dim_kpi_definitions as
select
    kpi_id,
    date '2025-01-01' as valid_from,
    true as is_current,
    1::bigint as version,
    name,
    perspective_id,
    objective_id,
    unit,
    'increase' as direction,
    owner_name,
    'Grace Okonjo' as steward_name,
    'Move budget between channels & campaigns.' as decision,
    'One thing divided by another.' as formula,
    sources,
    'company and day' as grain,
    'One <thing>' as numerator,
    if(kpi_id in ('F01', 'C06', 'P07'), null, 'Another thing') as denominator,
    'A vendor' as source_systems,
    target::double as target
from kpis;

create or replace table marts.dim_kpi_parameters as
select
    kpi_id,
    parameter,
    valid_from,
    lead(valid_from) over (partition by kpi_id, parameter order by valid_from) - 1 as valid_to,
    value::double as value,
    description
from (
    values
        ('F08', 'lag_days', date '2025-01-01', 30, 'Days from spend to customer.'),
        ('P05', 'cohort_days', date '2025-01-01', 60, 'Days to pass.'),
        ('P05', 'cohort_days', date '2026-01-01', 90, 'Days to pass.'),
        ('P05', 'cohort_days', date '2026-02-01', 120, 'Days to pass.')
) as parameters (kpi_id, parameter, valid_from, value, description);

create or replace table marts.dim_objectives as
select
    node_id as objective_id,
    date '2025-01-01' as valid_from,
    true as is_current,
    name,
    'Why it matters to us.' as description,
    parent_id as perspective_id,
    list_position(['financial', 'customer', 'process', 'learning'], parent_id)::bigint as perspective_position,
    'Win new customers' as leads_to
from nodes
where node_type = 'objective';

create or replace table marts.fct_data_quality as
select
    getvariable('as_of') as as_of_date,
    source,
    account,
    account_name,
    stream,
    source || '.' || stream || '.' || rule as check_id,
    rule,
    severity,
    action,
    state,
    failed_count::bigint as failed_count,
    stream_state,
    getvariable('as_of') - days_behind as data_through,
    days_behind::bigint as days_behind,
    sentence
from (values
    ('google_ads', '1', 'Northwind DE', 'campaign_daily', 'loaded_through', 'critical', 'observe', 'pass', 0, 'fresh', 0, 'The data are complete.'),
    ('google_ads', '1', 'Northwind DE', 'campaign_daily', 'clicks_within_impressions', 'warning', 'quarantine', 'fail', 12, 'fresh', 0, '12 rows report more clicks than impressions and were set aside.'),
    ('hubspot', '2', 'Northwind CRM', 'deals', 'loaded_through', 'critical', 'observe', 'fail', 1, 'held', 1, 'New data did not pass their checks and wait for a decision.'),
    ('typeform', '3', 'Northwind surveys', 'responses', 'loaded_through', 'critical', 'observe', 'fail', 1, 'late', 3, 'The data end on 17 May 2026, 3 days before the day they should reach.')
) as results (source, account, account_name, stream, rule, severity, action, state, failed_count, stream_state, days_behind, sentence);

create or replace table marts.fct_deals as
select 'd' || i as deal_id, getvariable('as_of') - i::int as created_date, (100 * i)::decimal(18, 6) as amount
from range(1, 4) as deals (i);

create or replace table marts.fct_leads_daily as
select getvariable('as_of') as event_date, 'search' as channel, true as is_paid, 3::bigint as leads;

create or replace table marts.fct_survey_scores as
select getvariable('as_of') as survey_date, 'NpsCust1' as form_id, 5::bigint as respondents;
