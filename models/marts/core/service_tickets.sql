select
    ticket_id,
    opened_at,
    {{ local_day("opened_at") }} as opened_on,
    channel,
    reason_code,
    customer_id,
    order_id,
    store_id,
    employee_id,
    department_code,
    first_response_at,
    resolved_at
from {{ ref("stg_service__tickets") }}
