{#-
    Weighted mean of decimals, rounded half-up once at `scale` decimals: the sums are taken in whole
    numbers, so that three parts at 12 decimals are not three roundings. Weights carry at most 10
    decimals and are not negative, values at most 14. No weight gives null.
-#}
{% macro exact_mean(weight, value, scale=12) -%}
    {{ return(adapter.dispatch("exact_mean")(weight, value, scale)) }}
{%- endmacro %}

{% macro duckdb__exact_mean(weight, value, scale) -%}
    {%- set w -%}
        cast(cast({{ weight }} as decimal(18, 10)) * 10000000000 as hugeint)
    {%- endset -%}
    {%- set v -%}
        cast(cast({{ value }} as decimal(38, 14)) * 100000000000000 as hugeint)
    {%- endset -%}
    {%- set n -%} sum({{ w }} * {{ v }}) {%- endset -%}
    {%- set d -%} (sum({{ w }}) * {{ 10 ** (14 - scale) }}) {%- endset -%}
    cast(
        cast(
            sign({{ n }}) * ((2 * abs({{ n }}) + {{ d }}) // nullif(2 * {{ d }}, 0))
            as decimal(36, 0)
        ) * 0.{{ "0" * (scale - 1) }}1 as decimal(38, {{ scale }})
    )
{%- endmacro %}

{% macro spark__exact_mean(weight, value, scale) -%}
    cast(
        sum(cast({{ weight }} as decimal(14, 10)) * cast({{ value }} as decimal(22, 14)))
        / nullif(sum(cast({{ weight }} as decimal(14, 10))), 0)
        as decimal(38, {{ scale }})
    )
{%- endmacro %}

{#-
    Whole points of a share of a range: floor(points * part / whole), of parts and ranges above 0
    with at most 14 decimals.
-#}
{% macro whole_points(points, part, whole) -%}
    {{ return(adapter.dispatch("whole_points")(points, part, whole)) }}
{%- endmacro %}

{% macro duckdb__whole_points(points, part, whole) -%}
    {%- set one = 10 ** 14 -%}
    cast(
        {{ points }} * cast(cast({{ part }} as decimal(38, 14)) * {{ one }} as hugeint)
        // nullif(cast(cast({{ whole }} as decimal(38, 14)) * {{ one }} as hugeint), 0) as integer
    )
{%- endmacro %}

{% macro spark__whole_points(points, part, whole) -%}
    cast(floor({{ points }} * ({{ part }}) / nullif({{ whole }}, 0)) as integer)
{%- endmacro %}
