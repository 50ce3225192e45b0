-- One row per valued day, customer, level and entity that served the customer in the year up to the
-- day: cumulated share of the customer's orders, from which value is cut without a remainder. On
-- each level the shares of a customer are those of all orders, so that nothing counts twice; orders
-- that nobody is credited with keep their share and give it to nobody.
{% set levels = {
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
} %}

with orders as (

    select * from {{ ref("int_orders_summed") }}
    where customer_id is not null

),

days as (

    select looked_from as valued_on from {{ ref("int_value_days_listed") }}
    where is_valued

),

counted as (

    {% for level, entity in levels.items() %}
    select
        days.valued_on,
        orders.customer_id,
        '{{ level }}' as level,
        orders.{{ entity }} as entity_id,
        count(*) as order_count
    from days
    inner join orders
        on
            days.valued_on >= orders.ordered_on
            and orders.ordered_on > {{ add_days("days.valued_on", -365) }}
    group by days.valued_on, orders.customer_id, orders.{{ entity }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    valued_on,
    customer_id,
    level,
    entity_id,
    cast(order_count as bigint) as order_count,
    cast(sum(order_count) over (
        partition by valued_on, customer_id, level
        -- Null last, named: engines differ in where they put it.
        order by case when entity_id is null then 1 else 0 end, entity_id
        rows unbounded preceding
    ) as bigint) as cumulated_count,
    cast(sum(order_count) over (partition by valued_on, customer_id, level) as bigint)
        as customer_count
from counted
