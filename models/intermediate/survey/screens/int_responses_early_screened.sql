-- Responses submitted before the order they rate, by more than clocks differ.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

)

select
    responses.response_id,
    'before_visit' as screen_code
from responses
inner join thresholds
    on
        thresholds.rule_code = 'before_visit'
        and {{ in_force("thresholds", "responses.submitted_on") }}
where
    responses.exclusion_reason is null
    and {{ seconds_of("responses.submitted_at") }}
    < {{ seconds_of("responses.ordered_at") }} - thresholds.window_minutes * 60
