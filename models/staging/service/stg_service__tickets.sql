with latest as (

    {{ latest_version(source("service", "tickets"), ["ticket_id"]) }}

)

select
    ticket_id,
    opened_at,
    channel,
    reason_code,
    customer_id,
    order_id,
    store_id,
    employee_id,
    department_code,
    first_response_at,
    resolved_at,
    _file_id as file_id,
    _line_no as file_line_no
from latest
