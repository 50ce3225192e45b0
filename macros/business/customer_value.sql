{#-
    Weeks of a history on the clock of its model, which stands still for a while after each purchase
    (see orchestration/value/purchases.py).
-#}
{% macro model_weeks(days, repeats, correction) -%}
    (greatest({{ days }} - {{ correction }} * {{ repeats }}, 0) / 7.0)
{%- endmacro %}

{#-
    Probability that a customer still buys (BG/NBD; Fader, Hardie and Lee 2005). `model` and
    `history` are aliases. Who never came back cannot have left: the model lets go only after a
    repeat.
-#}
{% macro probability_alive(model, history) -%}
    {%- set age = model_weeks(
        history ~ ".age_days", history ~ ".repeats", model ~ ".merged_day_correction_days"
    ) -%}
    {%- set last = model_weeks(
        history ~ ".last_days", history ~ ".repeats", model ~ ".merged_day_correction_days"
    ) -%}
    case
        when {{ history }}.repeats = 0 then 1.0
        else
            1.0 / (
                1.0
                + {{ model }}.a / ({{ model }}.b + {{ history }}.repeats - 1)
                -- A ratio far beyond any that leaves a trace in the result, so that no power
                -- overflows.
                * exp(
                    least(
                        700.0,
                        ({{ model }}.r + {{ history }}.repeats)
                        * ln(({{ model }}.alpha + {{ age }}) / ({{ model }}.alpha + {{ last }}))
                    )
                )
            )
    end
{%- endmacro %}

{#-
    Expected spend per purchase (Gamma-Gamma; Fader and Hardie 2013): the customer's own average
    drawn towards everybody's, the more the fewer purchases it comes from.
-#}
{% macro expected_spend(model, history) -%}
    (
        {{ model }}.p * ({{ model }}.v + cast({{ history }}.spend_amount as double))
        / ({{ model }}.p * {{ history }}.spend_count + {{ model }}.q - 1)
    )
{%- endmacro %}

{#- Mean, root mean squared error and correlation from sums that do not depend on the row order. -#}
{% macro stable_rmse(expected, actual) -%}
    sqrt({{ stable_sum("power(" ~ expected ~ " - " ~ actual ~ ", 2)") }} / count(*))
{%- endmacro %}

{% macro stable_correlation(left, right) -%}
    (
        count(*) * {{ stable_sum(left ~ " * " ~ right) }}
        - {{ stable_sum(left) }} * {{ stable_sum(right) }}
    ) / nullif(
        sqrt(
            greatest(
                0.0,
                count(*) * {{ stable_sum(left ~ " * " ~ left) }}
                - power({{ stable_sum(left) }}, 2)
            )
        )
        * sqrt(
            greatest(
                0.0,
                count(*) * {{ stable_sum(right ~ " * " ~ right) }}
                - power({{ stable_sum(right) }}, 2)
            )
        ),
        0
    )
{%- endmacro %}
