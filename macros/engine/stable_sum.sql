{#-
    Sum of doubles that is the same on every run. A plain sum of doubles depends on the order in
    which the threads deliver the rows; each term is made a decimal first, of which the sum is
    exact.
-#}
{% macro stable_sum(expression) -%}
    cast(sum(cast({{ expression }} as decimal(38, 8))) as double)
{%- endmacro %}

{#-
    Sum of whole numbers. Doubles add whole numbers exactly up to 2^53, in whatever order, and in
    half the time that DuckDB takes for integers of which it knows no bounds.
-#}
{% macro sum_of_counts(expression) -%}
    cast(sum(cast({{ expression }} as double)) as bigint)
{%- endmacro %}
