-- One row per answer, mapped onto its measure. An answer that does not count keeps its place with
-- an exclusion_reason.
with answers as (

    select * from {{ ref("stg_survey__answers") }}

),

responses as (

    select * from {{ ref("int_responses_credited") }}

),

questions as (

    select * from {{ ref("survey_questions") }}

),

matched as (

    select
        answers.response_id,
        answers.question_code,
        answers.score,
        answers.answer_text,
        answers.file_id,
        answers.file_line_no,
        responses.survey_code,
        responses.channel,
        responses.submitted_at,
        responses.submitted_on,
        responses.touchpoint_code,
        responses.customer_id,
        responses.store_id,
        responses.region,
        responses.employee_id,
        responses.department_code,
        responses.manager_id,
        responses.uncredited_reason,
        responses.exclusion_reason as response_exclusion_reason,
        responses.response_id is not null as has_response,
        questions.question_code is not null as has_question,
        questions.measure_code,
        questions.scale_min,
        questions.scale_max,
        questions.top_box_min,
        questions.bottom_box_max,
        questions.is_reversed
    from answers
    left join responses
        on answers.response_id = responses.response_id
    left join questions
        on
            answers.question_code = questions.question_code
            and {{ in_force("questions", "responses.submitted_on") }}

)

select
    response_id,
    question_code,
    measure_code,
    survey_code,
    channel,
    submitted_at,
    submitted_on,
    touchpoint_code,
    customer_id,
    store_id,
    region,
    employee_id,
    department_code,
    manager_id,
    score,
    case
        when is_reversed then {{ exact_divide("scale_max - score", "scale_max - scale_min") }} * 100
        else {{ exact_divide("score - scale_min", "scale_max - scale_min") }} * 100
    end as normalised_score,
    case when is_reversed then score <= top_box_min else score >= top_box_min end as is_top_box,
    case
        when is_reversed then score >= bottom_box_max else score <= bottom_box_max
    end as is_bottom_box,
    answer_text,
    uncredited_reason,
    case
        when not has_response then 'no_response'
        when response_exclusion_reason is not null then response_exclusion_reason
        when not has_question then 'unknown_question'
        when measure_code is not null and score is null then 'no_score'
        when score < scale_min or score > scale_max then 'score_out_of_scale'
    end as exclusion_reason,
    file_id,
    file_line_no
from matched
