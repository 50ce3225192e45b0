-- One row per customer and day with a counted order. Orders of one day are one purchase.
with order_lines as (

    select * from {{ ref("int_order_lines_credited") }}
    where exclusion_reason is null and customer_id is not null

),

products as (

    select
        product_id,
        unit_cost
    from {{ ref("stg_sales__products") }}

),

customers as (

    select
        customer_id,
        segment,
        acquisition_channel
    from {{ ref("stg_sales__customers") }}

),

days as (

    select
        order_lines.customer_id,
        order_lines.ordered_on,
        cast(sum(order_lines.line_amount) as decimal(28, 4)) as purchase_amount,
        -- Only lines whose cost is known say anything about margin.
        cast(coalesce(sum(order_lines.line_amount) filter (
            where products.unit_cost is not null
        ), 0) as decimal(28, 4)) as costed_amount,
        cast(coalesce(sum(
            order_lines.line_amount - order_lines.quantity * products.unit_cost
        ) filter (where products.unit_cost is not null), 0) as decimal(28, 4)) as margin_amount
    from order_lines
    left join products
        on order_lines.product_id = products.product_id
    group by order_lines.customer_id, order_lines.ordered_on

)

select
    days.customer_id,
    days.ordered_on,
    coalesce(customers.segment, 'unknown') as segment,
    coalesce(customers.acquisition_channel, 'unknown') as acquisition_channel,
    days.purchase_amount,
    days.costed_amount,
    days.margin_amount,
    row_number() over purchases - 1 as repeat_no,
    lag(days.ordered_on) over purchases as previous_ordered_on,
    lead(days.ordered_on) over purchases as next_ordered_on
from days
left join customers
    on days.customer_id = customers.customer_id
window purchases as (partition by days.customer_id order by days.ordered_on)
