{#-
    Seconds the company was open from Monday, 3 January 2000, to a UTC timestamp, by the clock on
    the wall: the difference of two is the time between them in business hours. `settings` is a row
    of int_journey_settings_listed. A week has its open days first, from Monday on.
-#}
{% macro business_clock(utc_timestamp, settings) -%}
    {%- set clock = local_time(utc_timestamp) -%}
    {%- set seconds = dbt.datediff("cast('2000-01-03' as timestamp)", clock, "second") -%}
    {%- set week = "floor((" ~ seconds ~ ") / 604800)" -%}
    {%- set in_week = "(" ~ seconds ~ " - 604800 * " ~ week ~ ")" -%}
    {%- set day = "floor(" ~ in_week ~ " / 86400)" -%}
    {%- set in_day = "(" ~ in_week ~ " - 86400 * " ~ day ~ ")" -%}
    cast(
        (
            {{ week }} * {{ settings }}.open_days_per_week
            + least({{ day }}, {{ settings }}.open_days_per_week)
        ) * {{ settings }}.open_seconds_per_day
        + case
            when {{ day }} >= {{ settings }}.open_days_per_week then 0
            else
                least(
                    greatest({{ in_day }} - {{ settings }}.opening_second, 0),
                    {{ settings }}.open_seconds_per_day
                )
        end as bigint
    )
{%- endmacro %}

{#- The levels journeys are counted at; each entity is a column of the journey. -#}
{% macro journey_levels() -%}
    {{ return({
        "company": "'company'",
        "region": "region",
        "store": "store_id",
        "segment": "segment",
    }) }}
{%- endmacro %}
