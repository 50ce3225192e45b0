select
    period_type,
    period_start,
    outcome_code,
    unit_kind,
    model_code,
    unit_code,
    cast(credit_units * 0.000001 as decimal(28, 6)) as credit,
    cast(amount_units * 0.0001 as decimal(28, 4)) as credited_amount,
    '{{ var("company_currency") }}' as currency_code,
    conversions,
    removal_effect
from {{ ref("int_conversion_credits_shared") }}
