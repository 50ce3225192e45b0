-- Promoters, passives and detractors are all who answered, and the company's result of a month is
-- made of exactly its answers: counted here from the answers, there by way of daily counts.
{{ config(meta={"dagster": {"ref": {"name": "int_kpis_summed"}}}) }}

with answered as (

    select
        answers.measure_code,
        days.month_start as period_start,
        count(*) filter (where answers.exclusion_reason is null) as n,
        count(*) filter (
            where answers.exclusion_reason is null and answers.is_top_box
        ) as favourable_count,
        count(*) filter (
            where answers.exclusion_reason is null and answers.is_bottom_box
        ) as unfavourable_count,
        count(*) filter (
            where
            answers.exclusion_reason is null
            and not answers.is_top_box
            and not answers.is_bottom_box
        ) as passive_count,
        count(*) filter (where answers.exclusion_reason is not null) as excluded_count,
        max(measures.unit) as unit
    from {{ ref("int_answers_scored") }} as answers
    inner join {{ ref("int_days_dated") }} as days
        on answers.submitted_on = days.date_day
    inner join {{ ref("measures") }} as measures
        on
            answers.measure_code = measures.measure_code
            and {{ in_force("measures", "answers.submitted_on") }}
    group by answers.measure_code, days.month_start

),

results as (

    select *
    from {{ ref("int_kpis_summed") }}
    where
        level = 'company'
        and period_type = 'month'
        and measure_code in (select measure_code from {{ ref("survey_questions") }})

)

select
    coalesce(answered.measure_code, results.measure_code) as measure_code,
    coalesce(answered.period_start, results.period_start) as period_start,
    answered.n as answers_counted,
    results.n as answers_in_result,
    results.numerator,
    results.favourable_count,
    answered.passive_count,
    results.unfavourable_count
from answered
full outer join results
    on
        answered.measure_code = results.measure_code
        and answered.period_start = results.period_start
where
    answered.n is distinct from results.n
    or results.denominator is distinct from results.n
    or results.favourable_count + answered.passive_count + results.unfavourable_count
    is distinct from results.n
    or answered.favourable_count is distinct from results.favourable_count
    or answered.unfavourable_count is distinct from results.unfavourable_count
    or answered.excluded_count is distinct from results.excluded_count
    or results.numerator is distinct from case
        when answered.unit = 'points' then results.favourable_count - results.unfavourable_count
        else results.favourable_count
    end
