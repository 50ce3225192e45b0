{#- Condition: by the contract each file of the extract lists everything, so that a later one
    replaces it. A unit test sees no contract. -#}
{% macro is_full_list(source_name, extract_name) -%}
    {%- set lists = [] -%}
    {%- if execute -%}
        {%- for node in graph.get("sources", {}).values()
            if node.config.meta.get("mode") == "snapshot" -%}
            {%- do lists.append("'" ~ node.source_name ~ "/" ~ node.name ~ "'") -%}
        {%- endfor -%}
    {%- endif -%}
    coalesce(
        concat({{ source_name }}, '/', {{ extract_name }}) in ({{ lists | join(", ") or "''" }}),
        false
    )
{%- endmacro %}
