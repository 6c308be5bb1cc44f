{# The day on which the next version of a dated row begins. #}
{% macro valid_until(key) -%}
    lead(valid_from, 1, date '9999-12-31') over (partition by {{ key }} order by valid_from)
{%- endmacro %}

{# The first day that any vendor was asked about. #}
{% macro history_start() -%} date '{{ var("history_start") }}' {%- endmacro %}

{# A date as people write it: 4 March 2026. #}
{% macro spoken_date(day) -%} strftime({{ day }}, '%-d %B %Y') {%- endmacro %}

{# Whether this version of a dated row is the one that holds on a day. #}
{% macro holds_on(dated, day) -%}
    {{ day }} >= {{ dated }}.valid_from and {{ day }} < {{ dated }}.valid_until
{%- endmacro %}
