select
    order_id,
    ordered_at,
    ordered_on,
    channel,
    store_id,
    region,
    customer_id,
    employee_id,
    department_code,
    line_count,
    order_amount,
    currency_code
from {{ ref("int_orders_summed") }}
