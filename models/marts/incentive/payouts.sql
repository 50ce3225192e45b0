select
    employee_id,
    period_type,
    period_start,
    period_end,
    currency_code,
    bool_and(is_complete) as is_complete,
    count(*) as statement_count,
    cast(sum(amount) as decimal(18, 2)) as amount
from {{ ref("statements") }}
group by employee_id, period_type, period_start, period_end, currency_code
