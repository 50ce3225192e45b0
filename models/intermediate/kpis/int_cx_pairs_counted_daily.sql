-- One row per day, touchpoint and pair of survey measures that respondents answered together (each
-- measure with itself too), measured from 0 to 100: sums from which means, variances and
-- covariances of any period follow. Whoever is unhappy is so with everything: without the
-- covariances the interval of an index would be too narrow.
{{ config(
    materialized="patched", patched_by="int_survey_days_touched", partition=["date_day"]
) }}

with answers as (

    {{ answers_to_count() }}

),

-- A share counts 100 for a satisfied answer; of NPS a promoter 100, a passive 50, a detractor 0.
responses as (

    select
        date_day,
        touchpoint_code,
        response_id,
        measure_code,
        sum(counted) as answer_count,
        sum(
            counted * case when is_points then 50 + 50 * point else 100 * good end
        ) as score_sum
    from answers
    group by date_day, touchpoint_code, response_id, measure_code

)

select
    responses.date_day,
    responses.touchpoint_code,
    responses.measure_code,
    others.measure_code as other_measure_code,
    cast(sum(responses.answer_count) as bigint) as answer_count,
    cast(sum(responses.score_sum) as bigint) as score_sum,
    cast(sum(responses.score_sum * others.score_sum) as bigint) as score_score_sum,
    cast(sum(responses.score_sum * others.answer_count) as bigint) as score_count_sum,
    cast(sum(responses.answer_count * others.score_sum) as bigint) as count_score_sum,
    cast(sum(responses.answer_count * others.answer_count) as bigint) as count_count_sum
from responses
inner join responses as others
    on
        responses.response_id = others.response_id
        and responses.measure_code <= others.measure_code
group by
    responses.date_day,
    responses.touchpoint_code,
    responses.measure_code,
    others.measure_code
