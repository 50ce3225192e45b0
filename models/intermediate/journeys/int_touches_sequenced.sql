-- One row per touch in a journey: which journey, its place in it, what comes next, and how long
-- that took in calendar and in business hours. Of the touched customers only. A journey is a
-- customer's run of touches without a gap longer than the setting of the day; its id is that of its
-- first touch.
{{ config(
    materialized="patched",
    patched_by="int_journey_customers_touched",
    partition=["customer_id"],
) }}

with touches as (

    select
        touches.*,
        gaps.gap_seconds,
        {{ business_clock("touches.occurred_at", "settings") }} as business_second
    from {{ ref("int_touches_linked") }} as touches
    inner join {{ ref("int_journey_customers_touched") }} as touched
        on touches.customer_id = touched.customer_id
    cross join {{ ref("int_journey_settings_listed") }} as settings
    inner join {{ ref("int_journey_gaps_dated") }} as gaps
        on {{ in_force("gaps", "touches.occurred_on") }}
    where touches.customer_id is not null and touches.exclusion_reason is null

),

cut as (

    select
        *,
        case
            when
                {{ dbt.datediff(
                    "lag(occurred_at) over customer_touches", "occurred_at", "second"
                ) }} <= gap_seconds
                then 0
            else 1
        end as begins,
        -- Orders before this touch, in all journeys of the customer.
        count(order_amount) over (
            partition by customer_id order by occurred_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as orders_before
    from touches
    window customer_touches as (partition by customer_id order by occurred_at, event_id)

),

numbered as (

    select
        *,
        sum(begins) over (
            partition by customer_id order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as journey_no
    from cut

)

select
    event_id,
    customer_id,
    first_value(event_id) over journey_touches as journey_id,
    cast(row_number() over journey_touches as integer) as event_no,
    occurred_at,
    occurred_on,
    month_start,
    quarter_start,
    touchpoint_code,
    stage_code,
    store_id,
    region,
    segment,
    acquisition_channel,
    campaign_code,
    order_id,
    order_amount,
    cast(orders_before as integer) as orders_before,
    lead(touchpoint_code) over journey_touches as next_touchpoint_code,
    {{ dbt.datediff("occurred_at", "lead(occurred_at) over journey_touches", "second") }}
        as seconds_to_next,
    lead(business_second) over journey_touches - business_second as business_seconds_to_next,
    -- Back at a touchpoint of use or after-sales without a new order in between.
    stage_code in ('use', 'after_sales')
    and row_number() over (
        partition by customer_id, journey_no, orders_before, touchpoint_code
        order by occurred_at, event_id
    ) > 1 as is_rework
from numbered
window journey_touches as (
    partition by customer_id, journey_no order by occurred_at, event_id
)
