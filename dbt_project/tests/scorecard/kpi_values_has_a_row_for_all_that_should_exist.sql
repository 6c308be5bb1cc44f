-- KPIs times their segments times the periods of the history, counted from the definitions and the
-- calendar: no row is missing, and none is too many.
with

    days as (
        select
            cast(
                unnest(
                    generate_series({{ history_start() }}, {{ as_of_date() }}, interval 1 day)
                ) as date
            ) as day
    ),

    expected_periods as (
        select
            count(*)
            + count(distinct date_trunc('week', day))
            + count(distinct date_trunc('month', day))
            + count(distinct date_trunc('quarter', day)) as periods
        from days
    ),

    expected as (
        select kpi_id, segment_type, count(*) * any_value(periods) as expected_rows
        from {{ ref("int_scorecard__segments") }}
        cross join expected_periods
        group by kpi_id, segment_type
    ),

    actual as (
        select kpi_id, segment_type, count(*) as actual_rows
        from {{ ref("fct_kpi_values") }}
        group by kpi_id, segment_type
    ),

    declared as (
        select kpi_id, segment_type from {{ ref("kpi_segments") }} where segment_type = 'company'
    )

select kpi_id, segment_type, expected_rows, actual_rows
from declared
full join expected using (kpi_id, segment_type)
full join actual using (kpi_id, segment_type)
where expected_rows is distinct from actual_rows
