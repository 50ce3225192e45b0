-- Every model hands out every conversion and its amount, and orders are those of the journeys.
with credits as (

    select
        period_type,
        period_start,
        outcome_code,
        unit_kind,
        model_code,
        sum(credit) as credit,
        max(conversions) as conversions,
        sum(credited_amount) as credited_amount
    from {{ ref("attribution") }}
    group by period_type, period_start, outcome_code, unit_kind, model_code

),

orders as (

    select
        sum(order_count) as order_count,
        sum(order_amount) as order_amount
    from {{ ref("journeys") }}

)

select credits.*
from credits
cross join orders
where
    credits.credit != credits.conversions
    or (
        credits.outcome_code = 'order'
        and credits.period_type = 'total'
        and (
            credits.conversions != orders.order_count
            or credits.credited_amount != orders.order_amount
        )
    )
