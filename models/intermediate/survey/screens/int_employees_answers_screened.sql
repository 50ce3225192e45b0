-- One row per employee and month with answers: how many of them failed a screen.
with responses as (

    select * from {{ ref("int_responses_screened") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

)

select
    responses.employee_id,
    days.month_start as period_start,
    'screened_answers' as screen_code,
    count(*) as total_count,
    count(*) filter (where responses.is_screened) as observed_count,
    cast(null as double) as expected_ratio,
    count(*) filter (where responses.is_screened) >= max(thresholds.limit_count) as is_flagged
from responses
inner join days
    on responses.submitted_on = days.date_day
inner join thresholds
    on
        thresholds.rule_code = 'screened_answers'
        and {{ in_force("thresholds", "responses.submitted_on") }}
where responses.employee_id is not null
group by responses.employee_id, days.month_start
