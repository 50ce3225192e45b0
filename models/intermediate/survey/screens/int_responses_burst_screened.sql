-- Responses from one network that sent `limit_count` or more within the window.
{{ config(materialized="view") }}

with responses as (

    select * from {{ ref("int_responses_credited") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

events as (

    select
        responses.response_id as event_id,
        responses.network_id as owner_id,
        {{ seconds_of("responses.submitted_at") }} as at_second,
        thresholds.window_minutes * 60 as window_seconds,
        thresholds.limit_count
    from responses
    inner join thresholds
        on
            thresholds.rule_code = 'burst'
            and {{ in_force("thresholds", "responses.submitted_on") }}
    where responses.network_id is not null and responses.exclusion_reason is null
    qualify count(*) over (partition by responses.network_id) >= thresholds.limit_count

),

pairs as (

    {{ events_within_window("events") }}

),

full_windows as (

    select pairs.window_id
    from pairs
    inner join events
        on pairs.window_id = events.event_id
    group by pairs.window_id, events.limit_count
    having count(*) >= events.limit_count

)

select distinct
    pairs.member_id as response_id,
    'burst' as screen_code
from pairs
inner join full_windows
    on pairs.window_id = full_windows.window_id
