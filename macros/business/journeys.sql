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

{#-
    The rows whose month or quarter is touched, with `touched_month` and `touched_quarter`: the
    first day of each that is.
-#}
{% macro in_touched_journey_periods(relation) -%}
    select
        listed.*,
        touched_months.period_start as touched_month,
        touched_quarters.period_start as touched_quarter
    from {{ relation }} as listed
    {%- for period_type in ["month", "quarter"] %}
    left join {{ ref("int_journey_periods_touched") }} as touched_{{ period_type }}s
        on
            touched_{{ period_type }}s.period_type = '{{ period_type }}'
            and listed.{{ period_type }}_start = touched_{{ period_type }}s.period_start
    {%- endfor %}
    where
        (touched_months.period_start is not null or touched_quarters.period_start is not null)
{%- endmacro %}
