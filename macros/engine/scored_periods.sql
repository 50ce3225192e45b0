{#-
    Periods whose scorecards the warehouse holds already, as a query. A warehouse that is built anew
    holds none, and computes all of them once more; pay of closed periods comes from the ledger all
    the same.
-#}
{% macro scored_periods() -%}
    {%- set scored = adapter.get_relation(
        target.database, generate_schema_name("intermediate", none), "int_scorecards_totalled"
    ) if execute else none -%}
    {%- if scored is not none and not flags.FULL_REFRESH -%}
        select distinct
            period_type,
            period_start
        from {{ scored }}
    {%- else -%}
        select
            cast(null as {{ dbt.type_string() }}) as period_type,
            cast(null as date) as period_start
        where false
    {%- endif -%}
{%- endmacro %}
