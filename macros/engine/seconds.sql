{#- Whole seconds from the start of 2000 to a timestamp, for arithmetic on times. -#}
{% macro seconds_of(timestamp) -%}
    {{ dbt.datediff("cast('2000-01-01' as timestamp)", timestamp, "second") }}
{%- endmacro %}
