select
    action_month,
    listed_on,
    customer_id,
    action_group,
    action_rank,
    churn_probability,
    value_at_risk_amount
from {{ ref("int_early_actions_listed") }}
