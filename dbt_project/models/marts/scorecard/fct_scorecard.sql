with

    company_values as (
        select *
        from {{ ref("fct_kpi_values") }}
        where segment_type = 'company' and period_type in ('month', 'quarter')
    ),

    -- A KPI by cohort stands in each period with the newest cohort that was mature by its end.
    -- Where none was, its own is shown and not scored.
    chosen as (
        select
            periods.kpi_id,
            periods.period_type,
            periods.period_start,
            periods.data_through,
            coalesce(max(cohorts.period_start), periods.period_start) as value_period_start,
            count(periods.matures_on) > 0 and count(cohorts.period_start) = 0 as is_too_young
        from company_values as periods
        left join
            company_values as cohorts
            on periods.kpi_id = cohorts.kpi_id
            and periods.period_type = cohorts.period_type
            and periods.period_end >= cohorts.matures_on
            and cohorts.is_mature
        group by periods.kpi_id, periods.period_type, periods.period_start, periods.data_through
    ),

    kpi_values as (
        select
            company_values.* exclude (period_start, data_through) replace (
                if(chosen.is_too_young, null, company_values.score) as score,
                if(
                    chosen.is_too_young and company_values.value is not null,
                    'not scored',
                    company_values.band
                ) as band,
                company_values.is_band_shown and not chosen.is_too_young as is_band_shown
            ),
            chosen.period_start,
            chosen.value_period_start,
            chosen.data_through
        from chosen
        inner join
            company_values
            on chosen.kpi_id = company_values.kpi_id
            and chosen.period_type = company_values.period_type
            and chosen.value_period_start = company_values.period_start
    ),

    nodes as (select * from {{ ref("int_scorecard__nodes") }}),

    people as (select *, {{ valid_until("person_id") }} as valid_until from {{ ref("people") }}),

    kpis as (
        select
            kpi_values.period_type,
            kpi_values.period_start,
            nodes.node_type,
            nodes.node_id,
            nodes.parent_id,
            nodes.weight,
            kpi_values.target_valid_from is not null and nodes.weight > 0 as is_part,
            kpi_values.score,
            if(kpi_values.score is null, 0, 1) as coverage,
            case
                kpi_values.band
                when 'red'
                then 1
                when 'amber'
                then 2
                when 'green'
                then 3
                when 'no data'
                then 4
                else 5
            end as worst_rank,
            if(kpi_values.band = 'red', 1, 0) as red_count,
            1 as kpi_count,
            if(
                kpi_values.is_band_shown or kpi_values.dq_state in ('verified', 'provisional'), 0, 1
            ) as doubtful_count,
            list_position(
                ['verified', 'provisional', 'stale', 'suspect', 'held'], kpi_values.dq_state
            ) as dq_rank,
            kpi_values.data_through
        from kpi_values
        inner join
            nodes
            on nodes.node_type = 'kpi'
            and kpi_values.kpi_id = nodes.node_id
            and kpi_values.period_start >= nodes.valid_from
            and kpi_values.period_start < nodes.valid_until
    ),

    objectives as ({{ roll_up("kpis", "objective") }}),

    perspectives as ({{ roll_up("objectives", "perspective") }}),

    company as ({{ roll_up("perspectives", "company") }}),

    tree as (
        select *
        from kpis
        union all
        select *
        from objectives
        union all
        select *
        from perspectives
        union all
        select *
        from company
    ),

    -- Shares among brothers and sisters: of all declared weight, and of the weight that is known.
    shares as (
        select
            *,
            if(
                is_part,
                cast(weight as double)
                / cast(sum(weight) filter (where is_part) over siblings as double),
                null
            ) as declared_share,
            if(
                is_part and score is not null,
                cast(weight as double) / cast(
                    sum(weight) filter (where is_part and score is not null) over siblings as double
                ),
                null
            ) as known_share,
            bool_or(is_part) filter (where period_type = 'quarter') over (
                partition by node_type, node_id, date_trunc('quarter', period_start)
            ) as is_part_by_quarter
        from tree
        window siblings as (partition by period_type, period_start, node_type, parent_id)
    ),

    placed as (
        select
            shares.*,
            coalesce(parents.declared_share, 1)
            * coalesce(grandparents.declared_share, 1)
            * shares.declared_share as absolute_weight,
            -- The way up must be known throughout; a score that is withheld contributes nothing.
            case
                when shares.node_type = 'company'
                then shares.score
                when company.score is null
                then null
                when shares.node_type = 'perspective'
                then shares.known_share * shares.score
                when shares.node_type = 'objective'
                then parents.known_share * shares.known_share * shares.score
                else
                    grandparents.known_share
                    * parents.known_share
                    * shares.known_share
                    * shares.score
            end as contribution
        from shares
        left join
            shares as parents
            on shares.period_type = parents.period_type
            and shares.period_start = parents.period_start
            and shares.parent_id = parents.node_id
            and parents.node_type in ('objective', 'perspective')
        left join
            shares as grandparents
            on parents.period_type = grandparents.period_type
            and parents.period_start = grandparents.period_start
            and parents.parent_id = grandparents.node_id
            and grandparents.node_type = 'perspective'
        left join
            company
            on shares.period_type = company.period_type
            and shares.period_start = company.period_start
    ),

    scorecard as (
        select
            placed.period_type,
            placed.period_start,
            periods.period_end,
            periods.period_end > {{ as_of_date() }} as is_running,
            placed.node_type,
            placed.node_id,
            placed.parent_id,
            nodes.name,
            versions.unit,
            kpi_values.value,
            kpi_values.target,
            kpi_values.no_data_reason,
            placed.score,
            case
                when placed.node_type = 'kpi'
                then kpi_values.band
                else {{ band("placed.score", "placed.is_part") }}
            end as band,
            if(
                placed.node_type = 'kpi',
                kpi_values.is_band_shown,
                placed.score is not null and placed.dq_rank <= 2
            ) as is_band_shown,
            cast(placed.coverage as double) as coverage,
            kpi_values.coverage as days_coverage,
            ['red', 'amber', 'green', 'no data', 'not scored'][
                coalesce(placed.worst_rank, 5)
            ] as worst_status,
            cast(placed.red_count as bigint) as red_count,
            cast(placed.kpi_count as bigint) as kpi_count,
            cast(cast(placed.absolute_weight as decimal(18, 12)) as double) as weight,
            cast(cast(placed.contribution as decimal(18, 12)) as double) as contribution,
            nodes.owner_id,
            people.name as owner_name,
            ['verified', 'provisional', 'stale', 'suspect', 'held'][placed.dq_rank] as dq_state,
            case
                when placed.node_type != 'kpi' and placed.doubtful_count > 0
                then
                    placed.doubtful_count
                    || ' of '
                    || placed.kpi_count
                    || ' KPIs below '
                    || if(placed.doubtful_count = 1, 'rests', 'rest')
                    || ' on data that are held back or doubtful or late.'
                when placed.node_type != 'kpi' and placed.is_part and placed.score is null
                then
                    'Only '
                    || cast(round(100 * placed.coverage) as integer)
                    || ' % of the weight below is known, too little for a score.'
                when placed.node_type != 'kpi' and not placed.is_part and placed.is_part_by_quarter
                then 'Scored by quarter: in a month it has no score and no weight.'
                when placed.node_type != 'kpi' and not placed.is_part
                then 'Not scored: nothing below has a target.'
                when placed.node_type != 'kpi' and placed.dq_rank = 2
                then 'Some KPIs below may still change.'
                when placed.node_type != 'kpi'
                then 'Complete and past all checks.'
                when
                    placed.dq_rank in (3, 5)
                    and periods.period_end >= {{ as_of_date() }}
                    and placed.data_through < {{ as_of_date() }}
                then
                    kpi_values.dq_reason
                    || ' That is '
                    || date_diff('day', placed.data_through, {{ as_of_date() }})
                    || if(
                        date_diff('day', placed.data_through, {{ as_of_date() }}) = 1,
                        ' day behind.',
                        ' days behind.'
                    )
                else kpi_values.dq_reason
            end as dq_reason,
            placed.data_through,
            kpi_values.value_period_start,
            kpi_values.may_move_by,
            kpi_values.rows_coverage,
            kpi_values.accounts_present,
            kpi_values.accounts_expected,
            kpi_values.reconciliation_difference
        from placed
        inner join {{ ref("int_scorecard__periods") }} as periods using (period_type, period_start)
        inner join
            nodes
            on placed.node_type = nodes.node_type
            and placed.node_id = nodes.node_id
            and placed.period_start >= nodes.valid_from
            and placed.period_start < nodes.valid_until
        left join
            kpi_values
            on placed.node_type = 'kpi'
            and placed.node_id = kpi_values.kpi_id
            and placed.period_type = kpi_values.period_type
            and placed.period_start = kpi_values.period_start
        left join
            {{ ref("int_scorecard__kpi_versions") }} as versions
            on kpi_values.kpi_id = versions.kpi_id
            and kpi_values.definition_version = versions.version
        left join
            people
            on nodes.owner_id = people.person_id
            and placed.period_start >= people.valid_from
            and placed.period_start < people.valid_until
    )

select *
from scorecard
