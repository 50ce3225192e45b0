select
    customer_id,
    as_of,
    segment,
    horizon_days,
    churn_probability,
    reason_1,
    reason_2,
    reason_3,
    value_at_risk_amount,
    '{{ var("company_currency") }}' as currency_code,
    parameters_version,
    is_carried,
    missing_reason
from {{ ref("int_customers_at_risk") }}
