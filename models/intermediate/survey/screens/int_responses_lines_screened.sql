-- Responses that give the same number to every question though it means opposite things, because
-- scales or directions differ: 5 of 5 and 5 of 10. All fives on one scale may be honest and stay.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

answers as (

    select * from {{ ref("stg_survey__answers") }}

),

questions as (

    select * from {{ ref("survey_questions") }}

),

placed as (

    select
        responses.response_id,
        responses.submitted_on,
        answers.score,
        questions.scale_max - questions.scale_min as scale_width,
        case
            when questions.is_reversed then questions.scale_max - answers.score
            else answers.score - questions.scale_min
        end as points
    from responses
    inner join answers
        on responses.response_id = answers.response_id
    inner join questions
        on
            answers.question_code = questions.question_code
            and {{ in_force("questions", "responses.submitted_on") }}
    where
        responses.exclusion_reason is null
        and questions.measure_code is not null
        and answers.score between questions.scale_min and questions.scale_max

),

lines as (

    select
        response_id,
        submitted_on,
        count(*) as answer_count,
        max({{ exact_divide_scores("points", "scale_width") }})
        - min({{ exact_divide_scores("points", "scale_width") }}) as spread
    from placed
    group by response_id, submitted_on
    having min(score) = max(score)

)

select
    lines.response_id,
    'straight_lined' as screen_code
from lines
inner join thresholds
    on
        thresholds.rule_code = 'straight_lined'
        and {{ in_force("thresholds", "lines.submitted_on") }}
where
    lines.answer_count >= thresholds.limit_count
    and lines.spread >= thresholds.limit_ratio
