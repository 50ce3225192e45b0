{#-
    Functions that SQL lacks. DuckDB gets them from orchestration/functions when dbt connects; Spark
    registers the same Python under the same names.
-#}
{% macro beta_quantile(share, a, b) -%} beta_quantile({{ share }}, {{ a }}, {{ b }}) {%- endmacro %}

{% macro beta_tail(value, a, b) -%} beta_tail({{ value }}, {{ a }}, {{ b }}) {%- endmacro %}

{% macro normal_tail(value, mean, deviation) -%}
    normal_tail({{ value }}, {{ mean }}, {{ deviation }})
{%- endmacro %}

{#- Aggregates: the value that `share` of a group's posteriors are expected to exceed. -#}
{% macro beta_rank_cut(share, a, b, members) -%}
    beta_rank_cut(
        cast({{ share }} as double),
        array_agg({{ a }}),
        array_agg({{ b }}),
        array_agg({{ members }})
    )
{%- endmacro %}

{% macro normal_rank_cut(share, mean, deviation, members) -%}
    normal_rank_cut(
        cast({{ share }} as double),
        array_agg({{ mean }}),
        array_agg({{ deviation }}),
        array_agg({{ members }})
    )
{%- endmacro %}

{#- A text as the segmenter reads it: compatibility forms and case folded. -#}
{% macro fold_term(term) -%} fold_text({{ term }}) {%- endmacro %}

{#- One row per dictionary term found in a text, as `found.term` and `found.is_negated`. -#}
{% macro explode_feedback_terms(text, dictionary) -%}
    {{ return(adapter.dispatch("explode_feedback_terms")(text, dictionary)) }}
{%- endmacro %}

{% macro duckdb__explode_feedback_terms(text, dictionary) -%}
    unnest(feedback_terms({{ text }}, {{ dictionary }}))
{%- endmacro %}

{% macro spark__explode_feedback_terms(text, dictionary) -%}
    explode(feedback_terms({{ text }}, {{ dictionary }}))
{%- endmacro %}

{#- The entries of a dictionary as one text, each ended by the separator the function expects. -#}
{% macro join_entries(entry) -%}
    {{ return(adapter.dispatch("join_entries")(entry)) }}
{%- endmacro %}

{% macro duckdb__join_entries(entry) -%}
    string_agg({{ entry }}, chr(30) order by {{ entry }})
{%- endmacro %}

{% macro spark__join_entries(entry) -%}
    array_join(array_sort(collect_list({{ entry }})), chr(30))
{%- endmacro %}

{#- One row per element of an array. -#}
{% macro explode(elements) -%} {{ return(adapter.dispatch("explode")(elements)) }} {%- endmacro %}

{% macro duckdb__explode(elements) -%} unnest({{ elements }}) {%- endmacro %}

{% macro spark__explode(elements) -%} explode({{ elements }}) {%- endmacro %}

{#-
    Texts of a group as one, in the order of other columns; `only` is a condition on its rows. Null
    where no row meets it.
-#}
{% macro join_in_order(text, separator, order_by, only="true") -%}
    {{ return(adapter.dispatch("join_in_order")(text, separator, order_by, only)) }}
{%- endmacro %}

{% macro duckdb__join_in_order(text, separator, order_by, only) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order_by | join(", ") }})
    {%- if only != "true" %} filter (where {{ only }}) {%- endif %}
{%- endmacro %}

{% macro spark__join_in_order(text, separator, order_by, only) -%}
    nullif(
        array_join(
            transform(
                array_sort(
                    collect_list(struct({{ order_by | join(", ") }}, {{ text }} as joined))
                    filter (where {{ only }})
                ),
                entry -> entry.joined
            ),
            '{{ separator }}'
        ),
        ''
    )
{%- endmacro %}

{#- SHA-256 of a text in hexadecimal digits. -#}
{% macro text_digest(text) -%} {{ return(adapter.dispatch("text_digest")(text)) }} {%- endmacro %}

{% macro duckdb__text_digest(text) -%} sha256({{ text }}) {%- endmacro %}

{% macro spark__text_digest(text) -%} sha2({{ text }}, 256) {%- endmacro %}

{#- Median of doubles, interpolated. -#}
{% macro median_of(expression) -%}
    {{ return(adapter.dispatch("median_of")(expression)) }}
{%- endmacro %}

{% macro duckdb__median_of(expression) -%} quantile_cont({{ expression }}, 0.5) {%- endmacro %}

{% macro spark__median_of(expression) -%} percentile({{ expression }}, 0.5) {%- endmacro %}
