{#-
    Join condition: the piece of a curve that an attainment falls on. Below the first point there is
    none, and the factor is 0. `segments` and `lines` are aliases; the curve's version is that of
    the period's first day.
-#}
{% macro on_curve_segment(segments, curve_code, attainment, day) -%}
    {{ segments }}.curve_code = {{ curve_code }}
    and {{ in_force(segments, day) }}
    and {{ attainment }} >= {{ segments }}.from_attainment
    and ({{ segments }}.to_attainment is null or {{ attainment }} < {{ segments }}.to_attainment)
{%- endmacro %}

{#- Factor of a curve at an attainment, given its piece (null: below the first point). -#}
{% macro curve_factor(segments, attainment) -%}
    cast(
        case
            when {{ segments }}.curve_code is null then 0
            -- Beyond the last point and on steps the slope is 0; the distance is not needed and may
            -- be large.
            when {{ segments }}.slope = 0 then {{ segments }}.from_factor
            else
                {{ segments }}.from_factor
                + cast({{ attainment }} - {{ segments }}.from_attainment as decimal(18, 12))
                * {{ segments }}.slope
        end as decimal(18, 12)
    )
{%- endmacro %}
