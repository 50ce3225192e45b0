-- One row per customer who ever bought: probability to leave, and the value that would leave with
-- the customer.
with scored as (

    select * from {{ ref("int_churn_scored") }}

),

valued as (

    select * from {{ ref("int_customers_valued") }}

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    night.as_of,
    scored.*,
    valued.clv_12m_amount,
    cast(scored.churn_probability * cast(valued.clv_12m_amount as decimal(18, 4)) as decimal(18, 4))
        as value_at_risk_amount
from scored
cross join night
left join valued
    on
        scored.customer_id = valued.customer_id
        and night.as_of = valued.valued_on
        and night.as_of = valued.looked_from
