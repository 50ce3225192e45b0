{% set levels = {"company": "'company'", "store": "store_id", "employee": "employee_id"} %}

with screened as (

    select
        answers.measure_code,
        answers.exclusion_reason as screen_code,
        answers.store_id,
        answers.employee_id,
        days.month_start as period_start,
        case when answers.is_top_box then 1 else 0 end
        - case when answers.is_bottom_box and measures.unit = 'points' then 1 else 0 end as point
    from {{ ref("int_answers_scored") }} as answers
    inner join {{ ref("int_days_dated") }} as days
        on answers.submitted_on = days.date_day
    inner join {{ ref("measures") }} as measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
    where answers.is_screened

),

summed as (

    {% for level, entity in levels.items() %}
    select
        measure_code,
        screen_code,
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        period_start,
        count(*) as screened_count,
        sum(point) as screened_numerator
    from screened
    where {{ entity }} is not null
    group by
        measure_code, screen_code, {{ entity ~ "," if level != "company" }} period_start
    {{ "union all" if not loop.last }}
    {% endfor %}

),

results as (

    select * from {{ ref("int_kpis_estimated") }}
    where period_type = 'month'

)

select
    summed.measure_code,
    summed.screen_code,
    summed.level,
    summed.entity_id,
    summed.period_start,
    cast(summed.screened_count as bigint) as screened_count,
    coalesce(results.n, 0) as n,
    cast(results.value as double) as value,
    (coalesce(cast(results.numerator as double), 0) + summed.screened_numerator)
    / (coalesce(cast(results.denominator as double), 0) + summed.screened_count)
    * case when measures.unit = 'points' then 100 else 1 end as value_with_screened
from summed
inner join {{ ref("measures") }} as measures
    on
        summed.measure_code = measures.measure_code
        and {{ in_force("measures", "summed.period_start") }}
left join results
    on
        summed.measure_code = results.measure_code
        and summed.level = results.level
        and summed.entity_id = results.entity_id
        and summed.period_start = results.period_start
