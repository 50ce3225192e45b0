-- One row per move of a journey: from `start` to its first touchpoint, from one to the next, from
-- the last one to `end`. A journey of n touches has n + 1 moves, all in the period it began in.
{{ config(materialized="view") }}

with touches as (

    select * from {{ ref("int_touches_sequenced") }}

),

journeys as (

    select * from {{ ref("int_journeys_summed") }}

)

select
    journey_id,
    customer_id,
    0 as step_no,
    'start' as from_touchpoint,
    first_touchpoint_code as to_touchpoint,
    cast(null as bigint) as seconds,
    cast(null as bigint) as business_seconds,
    started_on as occurred_on,
    month_start,
    quarter_start,
    store_id,
    region,
    segment,
    is_open
from journeys
union all
select
    touches.journey_id,
    touches.customer_id,
    touches.event_no as step_no,
    touches.touchpoint_code as from_touchpoint,
    coalesce(touches.next_touchpoint_code, 'end') as to_touchpoint,
    touches.seconds_to_next as seconds,
    touches.business_seconds_to_next as business_seconds,
    touches.occurred_on,
    journeys.month_start,
    journeys.quarter_start,
    journeys.store_id,
    journeys.region,
    journeys.segment,
    journeys.is_open
from touches
inner join journeys
    on touches.journey_id = journeys.journey_id
