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

-- A number stands for an answer: which measure, and whether 0, 50 or 100. A share counts 100 for a
-- satisfied answer; of NPS a promoter counts 100, a passive 50, a detractor 0.
measures as (

    select
        measure_code,
        3 * row_number() over (order by measure_code) as first_code
    from (select distinct measure_code from {{ ref("measures") }}) as listed

),

responses as (

    select
        answers.date_day,
        answers.touchpoint_code,
        answers.response_id,
        array_agg(
            measures.first_code
            + case
                when not answers.is_points then case when answers.is_top_box then 2 else 0 end
                else
                    1
                    + case when answers.is_top_box then 1 else 0 end
                    - case when answers.is_bottom_box then 1 else 0 end
            end
        ) as codes
    from answers
    inner join measures
        on answers.measure_code = measures.measure_code
    where answers.is_counted
    group by answers.date_day, answers.touchpoint_code, answers.response_id

),

-- Few sets of answers are all there are: what follows from a set is worked out once for each.
answer_sets as (

    select
        date_day,
        touchpoint_code,
        array_sort(codes) as codes,
        count(*) as response_count
    from responses
    group by date_day, touchpoint_code, array_sort(codes)

),

said as (

    select
        codes,
        {{ explode("codes") }} as code
    from (select distinct codes from answer_sets) as sets

),

sums as (

    select
        said.codes,
        measures.measure_code,
        count(*) as answer_count,
        50 * sum(said.code - measures.first_code) as score_sum
    from said
    inner join measures
        on said.code between measures.first_code and measures.first_code + 2
    group by said.codes, measures.measure_code

),

pairs as (

    select
        sums.codes,
        sums.measure_code,
        others.measure_code as other_measure_code,
        sums.answer_count,
        sums.score_sum,
        sums.score_sum * others.score_sum as score_score_sum,
        sums.score_sum * others.answer_count as score_count_sum,
        sums.answer_count * others.score_sum as count_score_sum,
        sums.answer_count * others.answer_count as count_count_sum
    from sums
    inner join sums as others
        on
            sums.codes = others.codes
            and sums.measure_code <= others.measure_code

)

select
    answer_sets.date_day,
    answer_sets.touchpoint_code,
    pairs.measure_code,
    pairs.other_measure_code,
    {% for column in [
        "answer_count",
        "score_sum",
        "score_score_sum",
        "score_count_sum",
        "count_score_sum",
        "count_count_sum",
    ] %}
    cast(sum(answer_sets.response_count * pairs.{{ column }}) as bigint)
        as {{ column }}{{ "," if not loop.last }}
    {% endfor %}
from answer_sets
inner join pairs
    on answer_sets.codes = pairs.codes
group by
    answer_sets.date_day,
    answer_sets.touchpoint_code,
    pairs.measure_code,
    pairs.other_measure_code
