{#-
    Columns of counted answers, the same for every way of grouping them. `points` measures (NPS)
    count the good minus the bad, shares count the good. Weights are decimals: their sums do not
    depend on the order of the rows.
-#}
{% macro survey_counts() -%}
    cast(sum(counted * point) as decimal(28, 4)) as numerator,
    cast(sum(counted) as decimal(28, 4)) as denominator,
    cast(sum(counted) as bigint) as n,
    cast(sum(counted * good) as bigint) as favourable_count,
    cast(sum(counted * bad) as bigint) as unfavourable_count,
    cast(
        sum(normalised_score) filter (where counted = 1) as decimal(38, 12)
    ) as score_sum,
    cast(sum(1 - counted) as bigint) as excluded_count,
    cast(sum(counted * uncredited) as bigint) as uncredited_count,
    cast(sum(screened) as bigint) as screened_count,
    cast(sum(screened * point) as decimal(28, 4)) as screened_numerator,
    cast(sum(weight * counted) as decimal(38, 12)) as weight_sum,
    cast(sum(weight * weight * counted) as decimal(38, 12)) as weight_square_sum,
    cast(sum(weight * counted * point) as decimal(38, 12)) as weighted_numerator
{%- endmacro %}

{#- The answers of the touched days as whole numbers that `survey_counts` adds up. -#}
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
        answers.normalised_score,
        answers.weight,
        case when answers.exclusion_reason is null then 1 else 0 end as counted,
        case when answers.is_screened then 1 else 0 end as screened,
        case
            when answers.exclusion_reason is null and answers.uncredited_reason is not null then 1
            else 0
        end as uncredited,
        case when answers.is_top_box then 1 else 0 end as good,
        case when answers.is_bottom_box then 1 else 0 end as bad,
        case when answers.is_top_box then 1 else 0 end
        - case when answers.is_bottom_box and measures.unit = 'points' then 1 else 0 end as point,
        measures.unit = 'points' as is_points
    from {{ ref("int_answers_scored") }} as answers
    inner join {{ ref("int_survey_days_touched") }} as touched
        on answers.submitted_on = touched.date_day
    inner join {{ ref("measures") }} as measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
{%- endmacro %}
