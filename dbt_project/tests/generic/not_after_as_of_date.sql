{# No date of the column lies after the night that is being built. #}
{% test not_after_as_of_date(model, column_name) %}
    select {{ column_name }} from {{ model }} where {{ column_name }} > {{ as_of_date() }}
{% endtest %}
