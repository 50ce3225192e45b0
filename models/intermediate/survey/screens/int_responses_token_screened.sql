-- Responses by a one-time code that was used before: the first one counts.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

ranked as (

    select
        response_id,
        submitted_on,
        row_number() over (
            partition by qr_token order by submitted_at, response_id
        ) as answer_no
    from responses
    where qr_token is not null and exclusion_reason is null

)

select
    ranked.response_id,
    'repeated_token' as screen_code
from ranked
inner join thresholds
    on
        thresholds.rule_code = 'repeated_token'
        and {{ in_force("thresholds", "ranked.submitted_on") }}
where ranked.answer_no > thresholds.limit_count
