-- One row per order line, credited to the person and department at the time of the sale. Nothing is
-- dropped: a line that does not count keeps its place with an exclusion_reason.
with order_lines as (

    select
        *,
        {{ local_day("ordered_at") }} as ordered_on
    from {{ ref("stg_sales__order_lines") }}

),

stores as (

    select
        store_id,
        region
    from {{ ref("stg_sales__stores") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

night as (

    select as_of from {{ source("control", "night") }}

)

select
    order_lines.order_id,
    order_lines.line_no,
    order_lines.ordered_at,
    order_lines.ordered_on,
    order_lines.store_id,
    stores.region,
    order_lines.product_id,
    order_lines.customer_id,
    order_lines.employee_id,
    assignments.department_code,
    assignments.manager_id,
    order_lines.channel,
    order_lines.quantity,
    order_lines.unit_price,
    order_lines.discount_amount,
    cast(
        order_lines.quantity * order_lines.unit_price - order_lines.discount_amount
        as decimal(18, 4)
    ) as line_amount,
    order_lines.currency_code,
    case
        when order_lines.ordered_on > night.as_of then 'after_as_of'
        when order_lines.currency_code != '{{ var("company_currency") }}' then 'foreign_currency'
    end as exclusion_reason,
    case
        when order_lines.employee_id is null then 'no_employee'
        when assignments.employee_id is null then 'no_assignment'
    end as uncredited_reason,
    order_lines.file_id,
    order_lines.file_line_no
from order_lines
cross join night
left join stores
    on order_lines.store_id = stores.store_id
left join assignments
    on
        order_lines.employee_id = assignments.employee_id
        and {{ in_force("assignments", "order_lines.ordered_on") }}
