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
