{#- Whether a dated policy row governs the day; ranges are half-open, an empty end is open. -#}
{% macro in_force(alias, day) -%}
    {{ alias }}.valid_from <= {{ day }}
    and {{ day }} < coalesce({{ alias }}.valid_to, cast('9999-12-31' as date))
{%- endmacro %}
