-- One row per answer, mapped onto its measure. An answer that does not count keeps its place with
-- an exclusion_reason.
with answers as (

    select * from {{ ref("stg_survey__answers") }}

),

responses as (

    select * from {{ ref("int_responses_screened") }}

),

questions as (

    select * from {{ ref("survey_questions") }}

),

weights as (

    select * from {{ ref("int_responses_weighted") }}

),

matched as (

    select
        answers.response_id,
        answers.question_code,
        answers.score,
        answers.answer_text,
        answers.first_score,
        answers.version_count,
        answers.file_id,
        answers.file_line_no,
        responses.survey_code,
        responses.channel,
        responses.submitted_at,
        responses.submitted_on,
        responses.touchpoint_code,
        responses.language,
        responses.customer_id,
        responses.segment,
        responses.store_id,
        responses.region,
        responses.employee_id,
        responses.department_code,
        responses.job_role,
        responses.manager_id,
        responses.uncredited_reason,
        responses.exclusion_reason as response_exclusion_reason,
        responses.is_screened,
        coalesce(weights.weight, 1) as weight,
        responses.response_id is not null as has_response,
        questions.question_code is not null as has_question,
        questions.measure_code,
        questions.scale_min,
        questions.scale_max,
        questions.top_box_min,
        questions.bottom_box_max,
        questions.is_reversed,
        case
            when questions.is_reversed then questions.scale_max - answers.score
            else answers.score - questions.scale_min
        end as points
    from answers
    left join responses
        on answers.response_id = responses.response_id
    left join weights
        on answers.response_id = weights.response_id
    left join questions
        on
            answers.question_code = questions.question_code
            and {{ in_force("questions", "responses.submitted_on") }}

),

scored as (

    select
        *,
        {{ exact_divide_scores("points", "scale_max - scale_min") }} * 100 as normalised_score,
        case when is_reversed then score <= top_box_min else score >= top_box_min end as is_top_box,
        case
            when is_reversed then score >= bottom_box_max else score <= bottom_box_max
        end as is_bottom_box,
        -- What is wrong with the answer itself, whatever the response.
        case
            when not has_response then 'no_response'
            when not has_question then 'unknown_question'
            when measure_code is not null and score is null then 'no_score'
            when score < scale_min or score > scale_max then 'score_out_of_scale'
        end as answer_exclusion_reason
    from matched

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
    language,
    customer_id,
    segment,
    store_id,
    region,
    employee_id,
    department_code,
    job_role,
    manager_id,
    score,
    first_score,
    version_count,
    normalised_score,
    is_top_box,
    is_bottom_box,
    answer_text,
    cast(weight as decimal(12, 6)) as weight,
    uncredited_reason,
    case
        when not has_response then 'no_response'
        else coalesce(response_exclusion_reason, answer_exclusion_reason)
    end as exclusion_reason,
    -- Would count but for a screen: what the screens take out, and nothing else.
    coalesce(is_screened, false) and answer_exclusion_reason is null as is_screened,
    file_id,
    file_line_no,
    {{ row_stamp([
        "measure_code", "submitted_on", "channel", "touchpoint_code", "segment", "store_id",
        "region", "employee_id", "department_code", "is_top_box", "is_bottom_box",
        "normalised_score", "weight",
        "uncredited_reason", "response_exclusion_reason", "answer_exclusion_reason", "is_screened",
        "response_id",
    ]) }} as row_stamp
from scored
