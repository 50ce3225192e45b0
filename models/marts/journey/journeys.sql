{{ config(materialized="view") }}

select
    journey_id,
    customer_id,
    segment,
    acquisition_channel,
    store_id,
    region,
    started_at,
    ended_at,
    started_on,
    ended_on,
    month_start,
    quarter_start,
    cast(event_count as bigint) as event_count,
    cast(touchpoint_count as bigint) as touchpoint_count,
    cast(order_count as bigint) as order_count,
    order_amount,
    '{{ var("company_currency") }}' as currency_code,
    cast(rework_count as bigint) as rework_count,
    cast(calendar_seconds as bigint) as calendar_seconds,
    business_seconds,
    furthest_stage,
    is_open,
    path
from {{ ref("int_journeys_summed") }}
