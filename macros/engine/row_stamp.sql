{#-
    A number that stands for the contents of a row: equal rows have equal stamps on one engine, so
    that sums of stamps tell whether a day changed. Never compared between engines, never published.
-#}
{% macro row_stamp(columns) -%}
    {{ return(adapter.dispatch("row_stamp")(columns)) }}
{%- endmacro %}

{% macro duckdb__row_stamp(columns) -%}
    cast(hash({{ columns | join(", ") }}) as decimal(38, 0))
{%- endmacro %}

{% macro spark__row_stamp(columns) -%}
    cast(xxhash64({{ columns | join(", ") }}) as decimal(38, 0))
{%- endmacro %}
