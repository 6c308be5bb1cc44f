{# The first of the nights from which it is learned how far days of records move: enough to know what
   is usual, and a bound on what it costs. #}
{% macro first_learned_night() -%} ({{ as_of_date() }} - 100) {%- endmacro %}

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

{# All versions of a stream's records, with the nights from and until which each was what a night
   saw. `columns` are those of the staging model; `renamed` says how raw calls them where it calls
   them otherwise. `since`: of the present records, only those of days that may still be learned from. #}
{% macro versions(stream, key, columns, renamed={}, since=none) -%}
    select
        *,
        lag(known_until, 1, date '0001-01-01') over (
            partition by account_id, {{ key | join(", ") }} order by known_until
        ) as known_from
    from
        (
            select
                _account as account_id,
                {% for column in key + columns -%}
                    {{ renamed.get(column, column) }} as {{ column }},
                {% endfor -%}
                _is_deleted as is_deleted,
                _was_there as was_there,
                _until as known_until
            from {{ source("past", stream) }}
            where _until > {{ first_learned_night() }}
            union all
            select
                account_id,
                {{ (key + columns) | join(", ") }},
                is_deleted,
                true as was_there,
                date '9999-12-31' as known_until
            from {{ ref("stg_" ~ stream) }}
            {% if since is not none -%}
                where
                    {{ since }}
                    >= cast({{ first_learned_night() }} - 100 as timestamp) at time zone 'UTC'
            {%- endif %}
        )
{%- endmacro %}
