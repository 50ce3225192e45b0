-- Responses about an order that was rated by the same questionnaire before: the first one counts.
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
            partition by order_id, survey_code, touchpoint_code order by submitted_at, response_id
        ) as answer_no
    from responses
    where order_id is not null and exclusion_reason is null

)

select
    ranked.response_id,
    'repeated_order' as screen_code
from ranked
inner join thresholds
    on
        thresholds.rule_code = 'repeated_order'
        and {{ in_force("thresholds", "ranked.submitted_on") }}
where ranked.answer_no > thresholds.limit_count
