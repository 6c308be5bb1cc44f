{# The score of a value from 0 to 1: 1/3 at red_below, 2/3 at green_from; null without value or target. #}
{% macro score(value, direction, green_from, red_below, low, high, tolerance) -%}
    case
        when {{ value }} is null
        then null
        when {{ direction }} = 'maintain' and {{ tolerance }} is not null
        then
            least(
                greatest(
                    1
                    - greatest({{ low }} - {{ value }}, {{ value }} - {{ high }}, 0)
                    / {{ tolerance }},
                    0
                ),
                1
            )
        when {{ direction }} != 'maintain' and {{ green_from }} is not null
        then
            least(
                greatest(
                    (1 + ({{ value }} - {{ red_below }}) / ({{ green_from }} - {{ red_below }}))
                    / 3,
                    0
                ),
                1
            )
    end
{%- endmacro %}

{# The colour of a score; without a target it is not scored, without a score there is no data. #}
{% macro band(score, has_target) -%}
    case
        when not {{ has_target }}
        then 'not scored'
        when {{ score }} is null
        then 'no data'
        when {{ score }} >= 2.0 / 3
        then 'green'
        when {{ score }} >= 1.0 / 3
        then 'amber'
        else 'red'
    end
{%- endmacro %}

{# Whether a value that may move by this share of itself, up or down, could leave its band. The score
   is lowest at one of the ends; in a range to keep it may be highest between them. #}
{% macro band_may_change(
    value, may_move_by, direction, green_from, red_below, low, high, tolerance
) -%}
    {%- set one_end = "(" ~ value ~ ") * (1 - " ~ may_move_by ~ ")" -%}
    {%- set other_end = "(" ~ value ~ ") * (1 + " ~ may_move_by ~ ")" -%}
    {%- set middle = "(" ~ low ~ " + " ~ high ~ ") / 2" -%}
    {%- set nearest = "list_sort([" ~ one_end ~ ", " ~ other_end ~ ", " ~ middle ~ "])[2]" -%}
    {%- set thresholds = (direction, green_from, red_below, low, high, tolerance) -%}
    {%- set scores = (
        score(one_end, *thresholds)
        ~ ", "
        ~ score(other_end, *thresholds)
        ~ ", "
        ~ score(nearest, *thresholds)
    ) -%}
    coalesce(
        {{ band("least(" ~ scores ~ ")", "true") }}
        != {{ band("greatest(" ~ scores ~ ")", "true") }},
        false
    )
{%- endmacro %}

{# One level of the tree: the weighted mean of the known children of each node, with what it hides. #}
{% macro roll_up(children, node_type) -%}
    select
        children.period_type,
        children.period_start,
        nodes.node_type,
        nodes.node_id,
        nodes.parent_id,
        nodes.weight,
        count(*) filter (where children.is_part) > 0 as is_part,
        case
            when
                sum(children.weight * children.coverage) filter (where children.score is not null)
                >= (nodes.least_coverage - 0.000001)
                * sum(children.weight) filter (where children.is_part)
            then
                cast(
                    sum(cast(children.share_of_known * children.score as decimal(18, 12))) as double
                )
        end as score,
        coalesce(
            cast(
                sum(cast(children.weight * children.coverage as decimal(18, 9))) filter (
                    where children.is_part and children.score is not null
                ) as double
            )
            / cast(sum(children.weight) filter (where children.is_part) as double),
            0
        ) as coverage,
        min(children.worst_rank) filter (where children.is_part) as worst_rank,
        cast(
            coalesce(sum(children.red_count) filter (where children.is_part), 0) as bigint
        ) as red_count,
        cast(
            coalesce(sum(children.kpi_count) filter (where children.is_part), 0) as bigint
        ) as kpi_count,
        cast(
            coalesce(sum(children.doubtful_count) filter (where children.is_part), 0) as bigint
        ) as doubtful_count,
        coalesce(
            max(children.dq_rank) filter (where children.is_part), max(children.dq_rank)
        ) as dq_rank,
        min(children.data_through) as data_through
    from
        (
            select
                *,
                if(
                    is_part and score is not null,
                    weight / sum(weight) filter (where is_part and score is not null) over (
                        partition by period_type, period_start, parent_id
                    ),
                    null
                ) as share_of_known
            from {{ children }}
        ) as children
    inner join
        {{ ref("int_scorecard__nodes") }} as nodes
        on nodes.node_type = '{{ node_type }}'
        and nodes.node_id = children.parent_id
        and children.period_start >= nodes.valid_from
        and children.period_start < nodes.valid_until
    group by
        children.period_type,
        children.period_start,
        nodes.node_type,
        nodes.node_id,
        nodes.parent_id,
        nodes.weight,
        nodes.least_coverage
{%- endmacro %}
