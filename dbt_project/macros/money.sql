{# Micros (a bigint) as units of currency, exactly: no double in between. #}
{% macro micros_to_units(micros) -%}
    cast(cast({{ micros }} as decimal(20, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6))
{%- endmacro %}

{# An amount in the reporting currency. Cost and value of a row go through this with the same rate. #}
{% macro to_reporting_currency(amount, rate) -%}
    cast(
        cast({{ amount }} as decimal(24, 6)) * cast({{ rate }} as decimal(14, 8)) as decimal(18, 6)
    )
{%- endmacro %}
