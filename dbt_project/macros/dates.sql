{# The night that is being built, as a date. #}
{% macro as_of_date() -%} date '{{ var("as_of_date") }}' {%- endmacro %}

{# The instant at which the vendors were asked. #}
{% macro now() -%} timestamptz '{{ var("now") }}' {%- endmacro %}

{# The calendar day of an instant in the business time zone. #}
{% macro business_date(instant) -%}
    cast(({{ instant }}) at time zone '{{ var("business_time_zone") }}' as date)
{%- endmacro %}

{# The first of the nights from which it is learned how far days of records move: enough to know what
   is usual, and a bound on what it costs. #}
{% macro first_learned_night() -%}({{ as_of_date() }} - 100) {%- endmacro %}

{# The instant at which the vendors were asked on an earlier night: the same hour by local clocks. #}
{% macro now_on(night) -%}
    (
        cast({{ night }} as timestamp) + (
            ({{ now() }} at time zone '{{ var("business_time_zone") }}')
            - cast({{ as_of_date() }} as timestamp)
        )
    ) at time zone '{{ var("business_time_zone") }}'
{%- endmacro %}

{# Whether a version of a record is what a night saw. #}
{% macro seen_on(night, record) -%}
    {{ night }} >= {{ record }}.known_from and {{ night }} < {{ record }}.known_until
{%- endmacro %}

{# The night from which a version of a record was known: the one that ended the version before. #}
{% macro known_from(key) -%}
    lag(known_until, 1, date '0001-01-01') over (partition by {{ key }} order by known_until)
{%- endmacro %}
