{# No two rows share the key, and no part of the key is null. #}
{% test unique_grain(model, columns) %}
    {%- set key = columns | join(", ") -%}
    select {{ key }}, count(*) as n_rows
    from {{ model }}
    group by {{ key }}
    having count(*) > 1 {%- for column in columns %} or {{ column }} is null {%- endfor %}
{% endtest %}
