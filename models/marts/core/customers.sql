with customers as (

    select * from {{ ref("stg_sales__customers") }}

),

order_totals as (

    select
        customer_id,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        count(*) as order_count,
        cast(sum(order_amount) as decimal(28, 4)) as order_amount
    from {{ ref("int_orders_summed") }}
    where customer_id is not null
    group by customer_id

)

select
    customers.customer_id,
    {{ local_day("customers.registered_at") }} as registered_on,
    customers.region,
    customers.city,
    customers.segment,
    customers.acquisition_channel,
    customers.survey_consent,
    order_totals.first_ordered_on,
    order_totals.last_ordered_on,
    coalesce(order_totals.order_count, 0) as order_count,
    coalesce(order_totals.order_amount, 0) as order_amount,
    customers.closed_on is null as is_current
from customers
left join order_totals
    on customers.customer_id = order_totals.customer_id
