-- One row per customer and day looked from, from the first purchase on: what the purchase and spend
-- models need to know of the customer. Nothing after the day is looked at.
with purchases as (

    select * from {{ ref("int_customer_purchases_dated") }}

),

days as (

    select looked_from from {{ ref("int_value_days_listed") }}

)

select
    days.looked_from,
    purchases.customer_id,
    max(purchases.segment) as segment,
    cast(count(*) - 1 as bigint) as repeats,
    cast({{ days_between("min(purchases.ordered_on)", "max(purchases.ordered_on)") }} as bigint)
        as last_days,
    cast({{ days_between("min(purchases.ordered_on)", "days.looked_from") }} as bigint) as age_days,
    -- Spend per purchase is that of the repeats; one without spend says nothing about it.
    count(*) filter (where purchases.repeat_no > 0 and purchases.purchase_amount > 0)
        as spend_count,
    cast(coalesce(sum(purchases.purchase_amount) filter (
        where purchases.repeat_no > 0 and purchases.purchase_amount > 0
    ), 0) as decimal(28, 4)) as spend_amount
from days
inner join purchases
    on days.looked_from >= purchases.ordered_on
group by days.looked_from, purchases.customer_id
