-- One row per customer who ever bought: quintiles of recency, frequency and money at `as_of`, 5 is
-- best. Equal values get equal scores.
with purchases as (

    select
        customer_id,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        count(*) as purchase_count,
        sum(purchase_amount) as purchase_amount
    from {{ ref("int_customer_purchases_dated") }}
    group by customer_id

)

select
    customer_id,
    first_ordered_on,
    last_ordered_on,
    purchase_count,
    cast(purchase_amount as decimal(28, 4)) as purchase_amount,
    cast(ceil(5 * cume_dist() over (order by last_ordered_on)) as integer) as recency_score,
    cast(ceil(5 * cume_dist() over (order by purchase_count)) as integer) as frequency_score,
    cast(ceil(5 * cume_dist() over (order by purchase_amount)) as integer) as money_score
from purchases
