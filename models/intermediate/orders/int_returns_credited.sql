-- One row per return, counted on the day it came back and credited to whoever sold the line.
with returns as (

    select
        *,
        {{ local_day("returned_at") }} as returned_on
    from {{ ref("stg_sales__returns") }}

),

order_lines as (

    select * from {{ ref("int_order_lines_credited") }}

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    returns.return_id,
    returns.order_id,
    returns.line_no,
    returns.returned_at,
    returns.returned_on,
    returns.quantity,
    returns.refund_amount,
    returns.reason_code,
    order_lines.ordered_on,
    order_lines.store_id,
    order_lines.region,
    order_lines.product_id,
    order_lines.customer_id,
    order_lines.employee_id,
    order_lines.department_code,
    case
        when returns.returned_on > night.as_of then 'after_as_of'
        when order_lines.order_id is null then 'unknown_order_line'
        else order_lines.exclusion_reason
    end as exclusion_reason,
    returns.file_id,
    returns.file_line_no
from returns
cross join night
left join order_lines
    on
        returns.order_id = order_lines.order_id
        and returns.line_no = order_lines.line_no
