-- One row per level, entity, customer and day with an order there: what loyalty measures count. The
-- next order is looked for anywhere in the company; `next_there_on` is the next one at the entity.
{% set levels = {
    "company": "'company'",
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
} %}

with orders as (

    select * from {{ ref("int_orders_summed") }}
    where customer_id is not null

),

purchases as (

    select * from {{ ref("int_customer_purchases_dated") }}

),

horizons as (

    select * from {{ ref("int_churn_horizons_dated") }}

),

first_orders as (

    select
        customer_id,
        order_id
    from orders
    qualify
        row_number() over (
            partition by customer_id order by ordered_on, ordered_at, order_id
        ) = 1

),

orders_by_level as (

    {% for level, entity in levels.items() %}
    select
        '{{ level }}' as level,
        {{ entity }} as entity_id,
        customer_id,
        ordered_on,
        order_amount,
        order_id
    from orders
    where {{ entity }} is not null
    union all
    {% endfor %}
    {% for level in ["segment", "acquisition_channel"] %}
    select
        '{{ level }}' as level,
        purchases.{{ level }} as entity_id,
        orders.customer_id,
        orders.ordered_on,
        orders.order_amount,
        orders.order_id
    from orders
    inner join purchases
        on
            orders.customer_id = purchases.customer_id
            and orders.ordered_on = purchases.ordered_on
    {{ "union all" if not loop.last }}
    {% endfor %}

),

visits as (

    select
        orders_by_level.level,
        orders_by_level.entity_id,
        orders_by_level.customer_id,
        orders_by_level.ordered_on,
        cast(sum(orders_by_level.order_amount) as decimal(28, 4)) as order_amount,
        count(first_orders.order_id) > 0 as is_acquisition
    from orders_by_level
    left join first_orders
        on orders_by_level.order_id = first_orders.order_id
    group by
        orders_by_level.level,
        orders_by_level.entity_id,
        orders_by_level.customer_id,
        orders_by_level.ordered_on

)

select
    visits.*,
    purchases.next_ordered_on,
    horizons.horizon_days,
    lead(visits.ordered_on) over (
        partition by visits.level, visits.entity_id, visits.customer_id
        order by visits.ordered_on
    ) as next_there_on
from visits
inner join purchases
    on
        visits.customer_id = purchases.customer_id
        and visits.ordered_on = purchases.ordered_on
inner join horizons
    on purchases.segment = horizons.segment
