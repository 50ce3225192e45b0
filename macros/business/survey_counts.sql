{#-
    Columns of counted answers, the same for every way of grouping them. `points` measures (NPS)
    count the good minus the bad, shares count the good. Scores and weights are decimals: their sums
    do not depend on the order of the rows.
-#}
{% macro survey_counts() -%}
    count(case when is_counted and is_top_box then 1 end)
    - count(case when is_counted and is_bottom_box and is_points then 1 end) as numerator,
    count(case when is_counted then 1 end) as denominator,
    count(case when is_counted then 1 end) as n,
    count(case when is_counted and is_top_box then 1 end) as favourable_count,
    count(case when is_counted and is_bottom_box then 1 end) as unfavourable_count,
    cast(
        sum(case when is_counted then normalised_score end) as decimal(38, 12)
    ) as score_sum,
    count(case when not is_counted then 1 end) as excluded_count,
    count(case when is_counted and uncredited_reason is not null then 1 end) as uncredited_count,
    count(case when is_screened then 1 end) as screened_count,
    count(case when is_screened and is_top_box then 1 end)
    - count(case when is_screened and is_bottom_box and is_points then 1 end)
        as screened_numerator,
    cast(sum(case when is_counted then weight else 0 end) as decimal(18, 6)) as weight_sum,
    cast(
        sum(case when is_counted then weight * weight else 0 end) as decimal(38, 12)
    ) as weight_square_sum,
    cast(
        sum(
            case
                when is_counted and is_top_box then weight
                when is_counted and is_bottom_box and is_points then -weight
                else 0
            end
        ) as decimal(18, 6)
    ) as weighted_numerator
{%- endmacro %}

{#- The answers of the touched days that `survey_counts` adds up. -#}
{% macro answers_to_count() -%}
    select
        answers.measure_code,
        answers.submitted_on as date_day,
        answers.response_id,
        answers.store_id,
        answers.region,
        answers.department_code,
        answers.employee_id,
        answers.touchpoint_code,
        answers.segment,
        answers.channel,
        answers.is_top_box,
        answers.is_bottom_box,
        answers.is_screened,
        answers.weight,
        answers.uncredited_reason,
        answers.normalised_score,
        answers.exclusion_reason is null as is_counted,
        measures.unit = 'points' as is_points
    from {{ ref("int_answers_scored") }} as answers
    inner join {{ ref("int_survey_days_touched") }} as touched
        on answers.submitted_on = touched.date_day
    inner join {{ ref("measures") }} as measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
{%- endmacro %}

{#- The columns that results are summed from, with the types of their sums. -#}
{% macro kpi_sum_types() -%}
    {{ return({
        "numerator": "decimal(28, 4)",
        "denominator": "decimal(28, 4)",
        "n": "bigint",
        "favourable_count": "bigint",
        "unfavourable_count": "bigint",
        "score_sum": "decimal(38, 12)",
        "excluded_count": "bigint",
        "uncredited_count": "bigint",
        "screened_count": "bigint",
        "screened_numerator": "bigint",
        "weight_sum": "decimal(18, 6)",
        "weight_square_sum": "decimal(38, 12)",
        "weighted_numerator": "decimal(18, 6)",
    }) }}
{%- endmacro %}

{#- The sums of a group; `counts_only` where numerator and denominator are whole numbers too. -#}
{% macro kpi_sums(counts_only=false) -%}
    {%- for column, type in kpi_sum_types().items() %}
    {%- if type == "bigint" %}
    {{ sum_of_counts(column) }} as {{ column }}
    {%- elif counts_only and column in ["numerator", "denominator"] %}
    cast({{ sum_of_counts(column) }} as {{ type }}) as {{ column }}
    {%- else %}
    cast(sum({{ column }}) as {{ type }}) as {{ column }}
    {%- endif %}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
