{#- A folder's schema is its published name: `kpi` is `kpi`, never `main_kpi`. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
