-- One row per order line and person credited with it, or one without a person. The amounts of one
-- line add up to it.
{{ config(materialized="view") }}

with order_lines as (

    select * from {{ ref("int_order_lines_credited") }}

),

splits as (

    select * from {{ ref("int_order_lines_split") }}
    where split_problem is null

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

)

select
    order_lines.order_id,
    order_lines.line_no,
    order_lines.ordered_on as date_day,
    order_lines.store_id,
    order_lines.region,
    order_lines.customer_id,
    coalesce(splits.employee_id, order_lines.employee_id) as employee_id,
    case
        when splits.employee_id is null then order_lines.department_code
        else assignments.department_code
    end as department_code,
    coalesce(splits.share, 1) as share,
    order_lines.quantity,
    coalesce(splits.credited_amount, order_lines.line_amount) as credited_amount,
    order_lines.exclusion_reason
from order_lines
left join splits
    on
        order_lines.order_id = splits.order_id
        and order_lines.line_no = splits.line_no
left join assignments
    on
        splits.employee_id = assignments.employee_id
        and {{ in_force("assignments", "order_lines.ordered_on") }}
