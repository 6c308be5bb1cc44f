{# The night that is being built, as a date. #}
{% macro as_of_date() -%} date '{{ var("as_of_date") }}' {%- endmacro %}

{# The instant at which the vendors were asked. #}
{% macro now() -%} timestamptz '{{ var("now") }}' {%- endmacro %}

{# The calendar day of an instant in the business time zone. #}
{% macro business_date(instant) -%}
    cast(({{ instant }}) at time zone '{{ var("business_time_zone") }}' as date)
{%- endmacro %}
