-- One row per bad answer that opens a case, with how bad it is and when its case is due. The first
-- answer opens it or the last: a customer who thinks better of it does not make the case unseen.
-- What a screen took out opens none, since nobody knows whose answer it was; unless somebody has
-- looked into it already, whose work stays to be seen.
with answers as (

    select * from {{ ref("int_answers_scored") }}

),

responses as (

    select * from {{ ref("int_responses_screened") }}

),

questions as (

    select * from {{ ref("survey_questions") }}

),

rules as (

    select * from {{ ref("feedback_case_rules") }}

),

outcomes as (

    select case_id from {{ ref("stg_service__case_outcomes") }}

),

judged as (

    select
        concat(answers.response_id, ':', answers.question_code) as case_id,
        answers.*,
        questions.scale_min,
        questions.scale_max,
        questions.is_reversed,
        coalesce(
            case
                when questions.is_reversed then answers.first_score >= questions.bottom_box_max
                else answers.first_score <= questions.bottom_box_max
            end,
            false
        ) as is_first_bad,
        case
            when questions.is_reversed then greatest(answers.score, answers.first_score)
            else least(answers.score, answers.first_score)
        end as worst_score
    from answers
    inner join questions
        on
            answers.question_code = questions.question_code
            and {{ in_force("questions", "answers.submitted_on") }}
    where
        answers.measure_code is not null
        and (
            answers.is_bottom_box
            or answers.first_score between questions.scale_min and questions.scale_max
        )

),

opened as (

    select
        judged.*,
        case
            when is_reversed
                then
                    {{ exact_divide_scores("scale_max - worst_score", "scale_max - scale_min") }}
                    * 100
            else
                {{ exact_divide_scores("worst_score - scale_min", "scale_max - scale_min") }} * 100
        end as worst_score_pct
    from judged
    left join outcomes
        on judged.case_id = outcomes.case_id
    where
        (judged.is_bottom_box or judged.is_first_bad)
        and (
            judged.exclusion_reason is null
            or (judged.exclusion_reason != 'after_as_of' and outcomes.case_id is not null)
        )

),

ruled as (

    select
        opened.*,
        rules.severity,
        rules.respond_hours,
        rules.escalate_hours,
        rules.fallback_owner
    from opened
    left join rules
        on
            rules.channel in (opened.channel, '*')
            and opened.worst_score_pct <= rules.score_at_most_pct
            and {{ in_force("rules", "opened.submitted_on") }}
    qualify
        row_number() over (
            partition by opened.case_id
            order by
                rules.score_at_most_pct,
                case when rules.channel = '*' then 1 else 0 end,
                rules.severity
        ) = 1

)

select
    ruled.case_id,
    ruled.response_id,
    ruled.question_code,
    ruled.measure_code,
    ruled.survey_code,
    ruled.channel,
    ruled.touchpoint_code,
    ruled.score,
    ruled.first_score,
    ruled.is_bottom_box,
    ruled.severity,
    ruled.submitted_at as opened_at,
    ruled.submitted_on as opened_on,
    responses.interaction_on,
    ruled.customer_id,
    ruled.store_id,
    ruled.region,
    ruled.department_code,
    ruled.employee_id,
    ruled.manager_id,
    {{ dbt.dateadd("hour", "ruled.respond_hours", "ruled.submitted_at") }} as due_at,
    ruled.escalate_hours,
    ruled.fallback_owner,
    ruled.exclusion_reason
from ruled
inner join responses
    on ruled.response_id = responses.response_id
