{# The newest date of the column lies at most `days` before the night that is being built. #}
{% test recent_enough(model, column_name, days) %}
    select max({{ column_name }}) as newest
    from {{ model }}
    where {{ column_name }} <= {{ as_of_date() }}
    having coalesce(date_diff('day', max({{ column_name }}), {{ as_of_date() }}) > {{ days }}, true)
{% endtest %}
