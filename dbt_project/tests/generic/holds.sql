{# Every row satisfies the predicate; a null result counts as a failure. #}
{% test holds(model, predicate, column_name=none) %}
    select * from {{ model }} where ({{ predicate }}) is not true
{% endtest %}
