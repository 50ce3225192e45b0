{#-
    A table of which only the touched partitions are replaced, in one transaction: what the model
    selects goes in, whatever stood in a touched partition goes out, even where nothing replaces it.

    `patched_by` names the model (of the same schema) that lists the touched partitions, `partition`
    their columns. When every partition is touched the table is replaced as a whole, so that a full
    build costs no deletes, and new columns arrive with it.
-#}
{% materialization patched, adapter="duckdb", supported_languages=["sql"] %}
    {%- set target_relation = this.incorporate(type="table") -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set touched = api.Relation.create(
        database=this.database, schema=this.schema, identifier=config.require("patched_by")
    ) -%}
    {%- set keys = config.require("partition") -%}
    {%- set same_partition -%}
        {%- for key in keys -%}
            existing.{{ key }} = touched.{{ key }} {{ "and " if not loop.last }}
        {%- endfor -%}
    {%- endset -%}
    {%- if existing_relation is not none and not existing_relation.is_table -%}
        {{ drop_relation_if_exists(existing_relation) }}
        {%- set existing_relation = none -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set keeps = existing_relation is not none and run_query(
        "select count(*) from (select 1 from " ~ existing_relation ~ " as existing"
        ~ " where not exists ("
        ~ "select 1 from " ~ touched ~ " as touched where " ~ same_partition ~ ") limit 1) as kept"
    ).columns[0].values()[0] > 0 -%}
    {% if keeps %}
        {% call statement("emptying") -%}
            delete from {{ target_relation }} as existing
            using {{ touched }} as touched
            where {{ same_partition }}
        {%- endcall %}
        {% call statement("main") -%}
            insert into {{ target_relation }} by name ({{ sql }})
        {%- endcall %}
    {% else %}
        {% call statement("main") -%}
            create or replace table {{ target_relation }} as ({{ sql }})
        {%- endcall %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}

{#-
    The stamps that a chain of patched tables was last built from, by partition; none when one of
    the tables is missing or all is to be built again. `book` is the model that keeps the stamps; it
    is built last, so that a night that was killed half-way patches the same partitions again. It
    comes after the model that asks and is therefore named and not referenced.
-#}
{% macro stamps_in_book(book, patched, keys, stamp) -%}
    {%- set missing = [] -%}
    {%- if execute -%}
        {%- for table in patched + [book] -%}
            {%- if not adapter.get_relation(this.database, this.schema, table) -%}
                {%- do missing.append(table) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if execute and not missing and not flags.FULL_REFRESH -%}
        select {{ keys.keys() | join(", ") }}, {{ stamp }}
        from {{ api.Relation.create(database=this.database, schema=this.schema, identifier=book) }}
    {%- else -%}
        select
            {% for key, type in keys.items() -%}
            cast(null as {{ type }}) as {{ key }},
            {% endfor -%}
            cast(null as decimal(38, 0)) as {{ stamp }}
        where 1 = 0
    {%- endif -%}
{%- endmacro %}

{#-
    Whether this table is there with these columns, so that it can be read for partitions that are
    not touched. Not in a full refresh; in a unit test when the test gives `this`.
-#}
{% macro stands(columns) -%}
    {%- if not execute or not this or flags.FULL_REFRESH -%} {{ return(false) }} {%- endif -%}
    {%- if this is string -%} {{ return(true) }} {%- endif -%}
    {%- set existing = adapter.get_relation(this.database, this.schema, this.identifier) -%}
    {%- if not existing or not existing.is_table -%} {{ return(false) }} {%- endif -%}
    {%- set found = adapter.get_columns_in_relation(existing) | map(attribute="name") | list -%}
    {{ return(columns | reject("in", found) | list | length == 0) }}
{%- endmacro %}

{#- A stamp of what computes: another version of the code builds everything again. -#}
{% macro code_stamp() -%}
    (select {{ row_stamp(["code_version"]) }} from {{ source("control", "night") }})
{%- endmacro %}

{#-
    The rows of the touched periods, one kind of period after the other: rows of a kind lie together
    and new ones at the end, so that an engine that knows the least and the greatest value of a
    block reads few blocks on a night that touches few periods. `only_of` holds a condition per kind
    of period that the relation's rows must meet too.
-#}
{% macro rows_of_touched_periods(relation, only_of={}) -%}
    {%- for period_type in ["day", "month", "quarter"] %}
    select existing.*
    from {{ relation }} as existing
    inner join {{ ref("int_kpi_periods_touched") }} as touched
        on
            existing.period_start = touched.period_start
            and touched.period_type = '{{ period_type }}'
    where
        existing.period_type = '{{ period_type }}'
        {%- if period_type in only_of %}
        and {{ only_of[period_type] }}
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
