-- One row per outcome and way to it, converted or not. `order`: touches of the contact stage since
-- the order before, in one journey, to an order or to the journey's end. `repurchase`: all touches
-- from one order to the next one on another day within the window, or to the end of the window.
-- What may still convert is in no way yet.
with touches as (

    select * from {{ ref("int_touches_sequenced") }}

),

journeys as (

    select
        journey_id,
        is_open
    from {{ ref("int_journeys_summed") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

-- Every stretch of a journey up to and including its next order.
stretches as (

    select
        concat('order/', touches.journey_id, '/', touches.orders_before) as path_id,
        max(touches.occurred_at) as ended_at,
        max(touches.occurred_on) as ended_on,
        count(touches.order_amount) > 0 as is_converted,
        max(touches.order_amount) as amount,
        bool_or(touches.stage_code = 'contact') as has_contact,
        bool_or(journeys.is_open) as is_open
    from touches
    inner join journeys
        on touches.journey_id = journeys.journey_id
    group by touches.journey_id, touches.orders_before

),

orders as (

    select
        customer_id,
        orders_before + 1 as order_no,
        occurred_at,
        occurred_on,
        order_amount,
        lead(occurred_at) over customer_orders as next_at,
        lead(occurred_on) over customer_orders as next_on,
        lead(order_amount) over customer_orders as next_amount
    from touches
    where order_amount is not null
    window customer_orders as (partition by customer_id order by orders_before)

),

returns_to as (

    select
        concat('repurchase/', customer_id, '/', order_no) as path_id,
        customer_id,
        order_no,
        next_on,
        coalesce(
            next_on <= {{ add_days("occurred_on", var("repurchase_window_days")) }}, false
        ) as is_converted,
        next_at,
        next_amount,
        {{ add_days("occurred_on", var("repurchase_window_days")) }} as window_end
    from orders
    where next_on is null or next_on > occurred_on

)

select
    path_id,
    'order' as outcome_code,
    cast(null as {{ dbt.type_string() }}) as customer_id,
    cast(null as integer) as order_no,
    ended_at,
    ended_on,
    is_converted,
    case when is_converted then amount else 0 end as amount
from stretches
where is_converted or (has_contact and not is_open)
union all
select
    returns_to.path_id,
    'repurchase' as outcome_code,
    returns_to.customer_id,
    cast(returns_to.order_no as integer) as order_no,
    case when returns_to.is_converted then returns_to.next_at end as ended_at,
    case when returns_to.is_converted then returns_to.next_on else returns_to.window_end end
        as ended_on,
    returns_to.is_converted,
    case when returns_to.is_converted then returns_to.next_amount else 0 end as amount
from returns_to
cross join night
where returns_to.is_converted or returns_to.window_end <= night.as_of
