{#- Two-sided 95 % normal quantile. -#}
{% macro z_95() -%} 1.959963984540054 {%- endmacro %}

{#- Two-sided 90 % normal quantile, of credible intervals. -#}
{% macro z_90() -%} 1.6448536269514722 {%- endmacro %}

{#-
    Wilson 95 % bound of a share (Wilson 1927). `bound` is `low` or `high`. Null over an empty
    population, and where more came out than went in (returns of an earlier period).
-#}
{% macro wilson_bound(successes, n, bound) -%}
    {%- set k -%} cast({{ successes }} as double) {%- endset -%}
    {%- set m -%} cast({{ n }} as double) {%- endset -%}
    {%- set z = z_95() | trim -%}
    case
        when {{ n }} > 0 and {{ successes }} between 0 and {{ n }}
            then
                {% if bound == "low" -%} greatest(0.0, {%- else -%} least(1.0, {%- endif %}
                    ({{ k }} / {{ m }} + {{ z }} * {{ z }} / (2 * {{ m }})
                        {{ "-" if bound == "low" else "+" }} {{ z }} * sqrt(
                            ({{ k }} / {{ m }}) * (1 - {{ k }} / {{ m }}) / {{ m }}
                            + {{ z }} * {{ z }} / (4 * {{ m }} * {{ m }})
                        ))
                    / (1 + {{ z }} * {{ z }} / {{ m }})
                )
    end
{%- endmacro %}

{#- Variance of one answer, in squared shares: p + d - (p - d)^2. -#}
{% macro nps_answer_variance(promoters, detractors, n) -%}
    (
        ({{ promoters }} + {{ detractors }}) / {{ n }}
        - power(({{ promoters }} - {{ detractors }}) / {{ n }}, 2)
    )
{%- endmacro %}

{#-
    Adjusted Wald 95 % bound of the net promoter score, in NPS points (Rocks 2016): three answers
    are added, one per group weighted 3/4, 3/2, 3/4. `bound` is `low` or `high`; null over an empty
    population.
-#}
{% macro nps_bound(promoters, detractors, n, bound) -%}
    {%- set p -%} (cast({{ promoters }} as double) + 0.75) {%- endset -%}
    {%- set d -%} (cast({{ detractors }} as double) + 0.75) {%- endset -%}
    {%- set m -%} (cast({{ n }} as double) + 3) {%- endset -%}
    case
        when {{ n }} > 0
            then
                100 * (
                    ({{ p }} - {{ d }}) / {{ m }}
                    {{ "-" if bound == "low" else "+" }} {{ z_95() | trim }} * sqrt(
                        {{ nps_answer_variance(p, d, m) }} / {{ m }}
                    )
                )
    end
{%- endmacro %}

{#-
    Probability that a normal variable is above a value: 1 - Phi(z), by formula 7.1.26 of Abramowitz
    and Stegun, off by at most 1.5e-7. Without a spread it is above or it is not.
-#}
{% macro probability_above(mean, sd, value) -%}
    {%- set z -%} (({{ mean }} - cast({{ value }} as double)) / nullif({{ sd }}, 0)) {%- endset -%}
    {%- set x -%} (abs({{ z }}) / sqrt(2.0)) {%- endset -%}
    {%- set t -%} (1 / (1 + 0.3275911 * {{ x }})) {%- endset -%}
    {%- set tail -%}
        0.5 * {{ t }} * (
            0.254829592 + {{ t }} * (
                -0.284496736 + {{ t }} * (
                    1.421413741 + {{ t }} * (-1.453152027 + {{ t }} * 1.061405429)
                )
            )
        ) * exp(-{{ x }} * {{ x }})
    {%- endset -%}
    case
        when {{ mean }} is null or {{ value }} is null or {{ sd }} is null then null
        when {{ sd }} = 0
            then case when {{ mean }} > cast({{ value }} as double) then 1.0 else 0.0 end
        -- Beyond 30 deviations the exponential underflows, which is 0 all the same.
        when abs({{ z }}) > 30 then case when {{ z }} > 0 then 1.0 else 0.0 end
        when {{ z }} > 0 then 1 - {{ tail }}
        else {{ tail }}
    end
{%- endmacro %}
