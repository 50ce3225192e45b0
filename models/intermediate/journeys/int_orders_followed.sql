-- One row per order of a known customer, with what is known about the customer at that time and
-- whether another day brought another order within the window; null until the window has passed.
with orders as (

    select *
    from {{ ref("int_touches_sequenced") }}
    where order_amount is not null

),

days as (

    select
        customer_id,
        occurred_on,
        sum(order_amount) as day_amount
    from orders
    group by customer_id, occurred_on

),

following as (

    select
        customer_id,
        occurred_on,
        row_number() over customer_days - 1 as days_before,
        lead(occurred_on) over customer_days as next_ordered_on,
        lead(day_amount) over customer_days as next_amount
    from days
    window customer_days as (partition by customer_id order by occurred_on)

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    orders.event_id,
    orders.order_id,
    orders.customer_id,
    orders.occurred_at as ordered_at,
    orders.occurred_on as ordered_on,
    orders.touchpoint_code as order_touchpoint_code,
    orders.segment,
    coalesce(orders.region, 'unknown') as region,
    coalesce(orders.acquisition_channel, 'unknown') as acquisition_channel,
    least(following.days_before, 5) as orders_before,
    cast({{ dbt.date_trunc("month", "orders.occurred_on") }} as date) as ordered_month,
    {{ add_days("orders.occurred_on", var("repurchase_window_days")) }} as window_end,
    following.next_ordered_on,
    case
        when {{ add_days("orders.occurred_on", var("repurchase_window_days")) }} > night.as_of
            then null
        else
            coalesce(
                following.next_ordered_on
                <= {{ add_days("orders.occurred_on", var("repurchase_window_days")) }},
                false
            )
    end as is_repurchased,
    following.next_amount
from orders
inner join following
    on
        orders.customer_id = following.customer_id
        and orders.occurred_on = following.occurred_on
cross join night
