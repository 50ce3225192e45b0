{#-
    Tables are replaced in one statement. DuckDB's `create or replace table` is atomic, and one
    statement instead of create, rename and drop saves a third of a night on small marts.
-#}
{% materialization table, adapter="duckdb", supported_languages=["sql"] %}
    {%- set target_relation = this.incorporate(type="table") -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is not none and not existing_relation.is_table -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement("main") -%}
        {%- set contract = config.get("contract") -%}
        {%- if contract.enforced -%} {{ get_assert_columns_equivalent(sql) }} {%- endif %}
        create or replace table {{ target_relation }} as (
            {%- if contract.enforced %} {{ get_select_subquery(sql) }}
            {%- else %} {{ sql }}
            {%- endif %}
        )
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}
