-- One row per employee and month with bad answers at their first delivery: how many of them were
-- delivered again for somebody else. History is kept, so that a correction cannot hide a complaint.
with responses as (

    select * from {{ ref("int_responses_screened") }}

),

answers as (

    select * from {{ ref("int_answers_scored") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

first_versions as (

    select
        response_id,
        employee_id
    from {{ source("survey", "responses") }}
    qualify
        row_number() over (
            partition by response_id order by {{ delivery_order() }}
        ) = 1

),

bad_responses as (

    select distinct response_id
    from answers
    where is_bottom_box

),

reassigned as (

    select
        first_versions.employee_id,
        responses.submitted_on,
        case
            when coalesce(responses.employee_id, '') != first_versions.employee_id then 1
            else 0
        end as is_reassigned
    from first_versions
    inner join bad_responses
        on first_versions.response_id = bad_responses.response_id
    inner join responses
        on first_versions.response_id = responses.response_id
    where first_versions.employee_id is not null

)

select
    reassigned.employee_id,
    days.month_start as period_start,
    'rating_reassigned' as screen_code,
    count(*) as total_count,
    sum(reassigned.is_reassigned) as observed_count,
    cast(null as double) as expected_ratio,
    sum(reassigned.is_reassigned) >= max(thresholds.limit_count) as is_flagged
from reassigned
inner join days
    on reassigned.submitted_on = days.date_day
inner join thresholds
    on
        thresholds.rule_code = 'rating_reassigned'
        and {{ in_force("thresholds", "reassigned.submitted_on") }}
group by reassigned.employee_id, days.month_start
