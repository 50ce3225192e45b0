-- One row per employee and month with answers: how many of them came in a run, one shortly after
-- the other, at closing time. Customers do not queue up to praise one person when the shop shuts;
-- somebody with a pile of receipts does. Screened answers are looked at too: they are the evidence.
with responses as (

    select * from {{ ref("int_responses_screened") }}

),

orders as (

    select * from {{ ref("int_orders_summed") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

closings as (

    select
        store_id,
        ordered_on,
        max(ordered_at) as last_ordered_at
    from orders
    where channel = 'store'
    group by store_id, ordered_on

),

late_answers as (

    select
        responses.response_id as event_id,
        responses.employee_id as owner_id,
        {{ seconds_of("responses.submitted_at") }} as at_second,
        thresholds.window_minutes * 60 as window_seconds,
        thresholds.limit_count
    from responses
    inner join closings
        on
            responses.store_id = closings.store_id
            and responses.submitted_on = closings.ordered_on
    inner join thresholds as hours
        on
            hours.rule_code = 'shift_end_hours'
            and {{ in_force("hours", "responses.submitted_on") }}
    inner join thresholds
        on
            thresholds.rule_code = 'shift_end'
            and {{ in_force("thresholds", "responses.submitted_on") }}
    where
        responses.employee_id is not null
        and {{ seconds_of("responses.submitted_at") }}
        >= {{ seconds_of("closings.last_ordered_at") }} - hours.window_minutes * 60

),

pairs as (

    {{ events_within_window("late_answers") }}

),

runs as (

    select pairs.window_id
    from pairs
    inner join late_answers
        on pairs.window_id = late_answers.event_id
    group by pairs.window_id, late_answers.limit_count
    having count(*) >= late_answers.limit_count

),

bunched as (

    select distinct pairs.member_id as response_id
    from pairs
    inner join runs
        on pairs.window_id = runs.window_id

)

select
    responses.employee_id,
    days.month_start as period_start,
    'shift_end' as screen_code,
    count(*) as total_count,
    count(bunched.response_id) as observed_count,
    cast(null as double) as expected_ratio,
    {{ wilson_bound("count(bunched.response_id)", "count(*)", "low") }}
    > max(thresholds.limit_ratio) as is_flagged
from responses
inner join days
    on responses.submitted_on = days.date_day
inner join thresholds
    on
        thresholds.rule_code = 'shift_end'
        and {{ in_force("thresholds", "responses.submitted_on") }}
left join bunched
    on responses.response_id = bunched.response_id
where responses.employee_id is not null
group by responses.employee_id, days.month_start
