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

{#-
    The first business day of a relation's moments, as `first_day`. Only the moments of the first 24
    hours are looked at: where a clock is set back over midnight, the first is not always of the
    first day.
-#}
{% macro first_local_day(relation, utc_timestamp) -%}
    select min({{ local_day(utc_timestamp) }}) as first_day
    from {{ relation }}
    where {{ utc_timestamp }} <= (
        select min({{ utc_timestamp }}) from {{ relation }}
    ) + interval 1 day
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
