{#-
    Views are replaced in one statement, like tables: `create or replace view` is atomic, and one
    statement instead of create, rename, rename and drop halves what a view costs a night.
-#}
{% materialization view, adapter="duckdb", supported_languages=["sql"] %}
    {%- set target_relation = this.incorporate(type="view") -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is not none and not existing_relation.is_view -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement("main") -%}
        {%- set contract = config.get("contract") -%}
        {%- if contract.enforced -%} {{ get_assert_columns_equivalent(sql) }} {%- endif %}
        create or replace view {{ target_relation }} as (
            {{ sql }}
        )
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}
