{#- One row per day from the first to the last, both included. -#}
{% macro expand_days(first_day, last_day) -%}
    {{ return(adapter.dispatch("expand_days")(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__expand_days(first_day, last_day) -%}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}

{% macro spark__expand_days(first_day, last_day) -%}
    explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day))
{%- endmacro %}
