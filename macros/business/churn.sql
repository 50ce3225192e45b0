{#- Features of the churn model, as trained in orchestration/value/churn.py. -#}
{% macro churn_features() -%}
    {{ return([
        "silence",
        "silence_squared",
        "overdue",
        "bought_once",
        "recent_purchases",
        "all_repeats",
        "age",
        "trend",
        "spend",
        "returned",
        "dissatisfied",
        "satisfied",
    ]) }}
{%- endmacro %}

{#- Weights of a model, one column each, from rows of one feature each. -#}
{% macro churn_weight_columns() -%}
    max(weight) filter (where feature = 'intercept') as intercept,
    {% for feature in churn_features() -%}
    max(weight) filter (where feature = '{{ feature }}') as {{ feature }}_weight,
    max(centre) filter (where feature = '{{ feature }}') as {{ feature }}_centre
    {{- "," if not loop.last }}
    {% endfor %}
{%- endmacro %}

{#- Log-odds of leaving. `weights` and `customer` are aliases. -#}
{% macro churn_log_odds(weights, customer) -%}
    {{ weights }}.intercept
    {%- for feature in churn_features() %}
    + {{ weights }}.{{ feature }}_weight
    * ({{ customer }}.{{ feature }} - {{ weights }}.{{ feature }}_centre)
    {%- endfor %}
{%- endmacro %}

{#- Probability of leaving; odds beyond e^30 are certainty, and overflow nothing. -#}
{% macro churn_probability(weights, customer) -%}
    1.0 / (1.0 + exp(-greatest(-30.0, least(30.0, {{ churn_log_odds(weights, customer) }}))))
{%- endmacro %}
