{#- Condition: the extract has no column that the contract tags as contact data or pay. -#}
{% macro is_open_extract(source_name, extract_name) -%}
    {%- set restricted = [] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() -%}
            {%- for column in node.columns.values()
                if "contact" in column.config.tags or "pay" in column.config.tags -%}
                {%- do restricted.append("'" ~ node.source_name ~ "/" ~ node.name ~ "'") -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    concat({{ source_name }}, '/', {{ extract_name }})
    not in ({{ restricted | unique | join(", ") or "''" }})
{%- endmacro %}
