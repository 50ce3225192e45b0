-- One row per move of a journey: from `start` to its first touchpoint, from one to the next, from
-- the last one to `end`. A journey of n touches has n + 1 moves, all in the period it began in.
{{ config(
    materialized="patched",
    patched_by="int_journey_customers_touched",
    partition=["customer_id"],
) }}

with touches as (

    select touches.*
    from {{ ref("int_touches_sequenced") }} as touches
    inner join {{ ref("int_journey_customers_touched") }} as touched
        on touches.customer_id = touched.customer_id

),

journeys as (

    select * from {{ ref("int_journeys_summed") }}

),

moves as (

    select
        journey_id,
        event_no - 1 as step_no,
        coalesce(previous_touchpoint_code, 'start') as from_touchpoint,
        touchpoint_code as to_touchpoint,
        cast(null as bigint) as seconds,
        cast(null as bigint) as business_seconds
    from touches
    where event_no = 1
    union all
    select
        journey_id,
        event_no as step_no,
        touchpoint_code as from_touchpoint,
        coalesce(next_touchpoint_code, 'end') as to_touchpoint,
        seconds_to_next as seconds,
        business_seconds_to_next as business_seconds
    from touches

)

select
    moves.journey_id,
    journeys.customer_id,
    moves.step_no,
    moves.from_touchpoint,
    moves.to_touchpoint,
    moves.seconds,
    moves.business_seconds,
    journeys.month_start,
    journeys.quarter_start,
    journeys.store_id,
    journeys.region,
    journeys.segment,
    journeys.is_open
from moves
inner join journeys
    on moves.journey_id = journeys.journey_id
