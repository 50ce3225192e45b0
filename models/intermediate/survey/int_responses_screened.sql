-- One row per response with the reason why it does not count: after the night's day, or a failed
-- screen.
with responses as (

    select * from {{ ref("int_responses_credited") }}

),

first_screens as (

    select
        response_id,
        screen_code
    from {{ ref("int_response_screens_failed") }}
    qualify row_number() over (partition by response_id order by priority, screen_code) = 1

)

select
    responses.response_id,
    responses.survey_code,
    responses.channel,
    responses.started_at,
    responses.submitted_at,
    responses.submitted_on,
    responses.invitation_id,
    responses.language,
    responses.order_id,
    responses.touchpoint_code,
    responses.customer_id,
    responses.segment,
    responses.store_id,
    responses.region,
    responses.employee_id,
    responses.department_code,
    responses.job_role,
    responses.manager_id,
    responses.interaction_on,
    coalesce(responses.exclusion_reason, first_screens.screen_code) as exclusion_reason,
    responses.exclusion_reason is null and first_screens.screen_code is not null as is_screened,
    responses.uncredited_reason,
    responses.file_id,
    responses.file_line_no
from responses
left join first_screens
    on responses.response_id = first_screens.response_id
