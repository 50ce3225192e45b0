{#- The business day of a UTC timestamp: days are those of the shop, never of the server. -#}
{% macro local_day(utc_timestamp) -%}
    {{ return(adapter.dispatch("local_day")(utc_timestamp)) }}
{%- endmacro %}

{% macro duckdb__local_day(utc_timestamp) -%}
    cast(
        timezone('{{ var("business_time_zone") }}', timezone('UTC', {{ utc_timestamp }})) as date
    )
{%- endmacro %}

{% macro spark__local_day(utc_timestamp) -%}
    cast(from_utc_timestamp({{ utc_timestamp }}, '{{ var("business_time_zone") }}') as date)
{%- endmacro %}

{#- The business clock at a UTC timestamp: what a clock on the wall of the shop shows. -#}
{% macro local_time(utc_timestamp) -%}
    {{ return(adapter.dispatch("local_time")(utc_timestamp)) }}
{%- endmacro %}

{% macro duckdb__local_time(utc_timestamp) -%}
    timezone('{{ var("business_time_zone") }}', timezone('UTC', {{ utc_timestamp }}))
{%- endmacro %}

{% macro spark__local_time(utc_timestamp) -%}
    from_utc_timestamp({{ utc_timestamp }}, '{{ var("business_time_zone") }}')
{%- endmacro %}
