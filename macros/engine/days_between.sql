{#- Days from the first date to the second: the length of the half-open range. -#}
{% macro days_between(first_day, second_day) -%}
    {{ dbt.datediff("cast(" ~ first_day ~ " as date)", "cast(" ~ second_day ~ " as date)", "day") }}
{%- endmacro %}

{#- The date `days` after `day`, as a date. -#}
{% macro add_days(day, days) -%}
    cast({{ dbt.dateadd("day", days, day) }} as date)
{%- endmacro %}

{#- The date `months` after `day`, as a date. -#}
{% macro add_months(day, months) -%}
    cast({{ dbt.dateadd("month", months, day) }} as date)
{%- endmacro %}
