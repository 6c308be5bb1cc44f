-- One row a node that is defined on the first day of a month or quarter, and no other.
with

    expected as (
        select periods.period_type, periods.period_start, nodes.node_type, nodes.node_id
        from {{ ref("int_scorecard__periods") }} as periods
        inner join
            {{ ref("int_scorecard__nodes") }} as nodes
            on periods.period_start >= nodes.valid_from
            and periods.period_start < nodes.valid_until
        where periods.period_type in ('month', 'quarter')
    )

select period_type, period_start, node_type, node_id
from expected
full join
    {{ ref("fct_scorecard") }} as scorecard using (period_type, period_start, node_type, node_id)
where expected.node_id is null or scorecard.node_id is null
