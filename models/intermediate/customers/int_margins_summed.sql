-- One row per valued day and segment: margin per unit of revenue over the year up to the day, on
-- products whose cost is known; where none is known in the segment that of all customers, then
-- policy.
with purchases as (

    select * from {{ ref("int_customer_purchases_dated") }}

),

days as (

    select * from {{ ref("int_value_days_listed") }}
    where is_valued

),

summed as (

    select
        days.looked_from as valued_on,
        purchases.segment,
        max(days.default_margin_ratio) as default_margin_ratio,
        sum(purchases.costed_amount) filter (
            where purchases.ordered_on > {{ add_days("days.looked_from", -365) }}
        ) as costed_amount,
        sum(purchases.margin_amount) filter (
            where purchases.ordered_on > {{ add_days("days.looked_from", -365) }}
        ) as margin_amount
    from days
    inner join purchases
        on days.looked_from >= purchases.ordered_on
    group by days.looked_from, purchases.segment

),

ratios as (

    select
        valued_on,
        segment,
        default_margin_ratio,
        case
            when costed_amount > 0
                then {{ exact_divide("margin_amount", "costed_amount") }}
        end as segment_ratio,
        case
            when sum(costed_amount) over (partition by valued_on) > 0
                then
                    {{ exact_divide(
                        "sum(margin_amount) over (partition by valued_on)",
                        "sum(costed_amount) over (partition by valued_on)",
                    ) }}
        end as company_ratio
    from summed

)

select
    valued_on,
    segment,
    cast(coalesce(segment_ratio, company_ratio, default_margin_ratio) as decimal(18, 6))
        as margin_ratio
from ratios
