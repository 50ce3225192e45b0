-- Responses submitted so soon after they were opened that nobody can have read the questions.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

)

select
    responses.response_id,
    'too_fast' as screen_code
from responses
inner join thresholds
    on
        thresholds.rule_code = 'too_fast'
        and {{ in_force("thresholds", "responses.submitted_on") }}
where
    responses.exclusion_reason is null
    and {{ dbt.datediff("responses.started_at", "responses.submitted_at", "second") }}
    < thresholds.limit_count
