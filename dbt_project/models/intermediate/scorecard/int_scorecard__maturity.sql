-- A cohort is whole when those who entered it on the period's last day have had their days.
with

    cohorts as (
        select
            parameters.kpi_id,
            periods.period_type,
            periods.period_start,
            periods.period_end + cast(parameters.value as integer) as matures_on
        from {{ ref("int_scorecard__periods") }} as periods
        inner join
            {{ ref("int_scorecard__parameters") }} as parameters
            on parameters.parameter = 'cohort_days'
            and {{ holds_on("parameters", "periods.period_end") }}
    ),

    maturity as (
        select
            cohorts.*, coalesce(cohorts.matures_on <= kpi_status.data_through, false) as is_mature
        from cohorts
        inner join
            {{ ref("int_scorecard__kpi_status") }} as kpi_status
            on cohorts.kpi_id = kpi_status.kpi_id
    )

select *
from maturity
