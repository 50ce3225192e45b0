select
    return_id,
    order_id,
    line_no,
    returned_at,
    returned_on,
    ordered_on,
    store_id,
    region,
    product_id,
    customer_id,
    employee_id,
    department_code,
    quantity,
    refund_amount,
    reason_code,
    exclusion_reason
from {{ ref("int_returns_credited") }}
