-- One row per customer, day, store and employee with an order, and the customer's next order day
-- anywhere. Two orders on one day are one purchase.
with orders as (

    select * from {{ ref("int_orders_summed") }}
    where customer_id is not null

),

customers as (

    select
        customer_id,
        segment,
        acquisition_channel
    from {{ ref("stg_sales__customers") }}

),

order_days as (

    select
        customer_id,
        ordered_on,
        lead(ordered_on) over (partition by customer_id order by ordered_on) as next_ordered_on
    from (
        select distinct
            customer_id,
            ordered_on
        from orders
    ) as days

)

select
    orders.customer_id,
    orders.ordered_on,
    orders.store_id,
    orders.region,
    orders.department_code,
    orders.employee_id,
    coalesce(max(customers.segment), 'unknown') as segment,
    coalesce(max(customers.acquisition_channel), 'unknown') as acquisition_channel,
    max(order_days.next_ordered_on) as next_ordered_on
from orders
inner join order_days
    on
        orders.customer_id = order_days.customer_id
        and orders.ordered_on = order_days.ordered_on
left join customers
    on orders.customer_id = customers.customer_id
group by
    orders.customer_id,
    orders.ordered_on,
    orders.store_id,
    orders.region,
    orders.department_code,
    orders.employee_id
