-- One row per order with at least one line that counts. Who, where and when are those of its first
-- line.
with order_lines as (

    select * from {{ ref("int_order_lines_credited") }}
    where exclusion_reason is null

),

first_lines as (

    select *
    from order_lines
    qualify row_number() over (partition by order_id order by line_no) = 1

),

totals as (

    select
        order_id,
        count(*) as line_count,
        cast(sum(line_amount) as decimal(28, 4)) as order_amount
    from order_lines
    group by order_id

)

select
    first_lines.order_id,
    first_lines.ordered_at,
    first_lines.ordered_on,
    first_lines.store_id,
    first_lines.region,
    first_lines.customer_id,
    first_lines.employee_id,
    first_lines.department_code,
    first_lines.manager_id,
    first_lines.channel,
    first_lines.currency_code,
    totals.line_count,
    totals.order_amount
from first_lines
inner join totals
    on first_lines.order_id = totals.order_id
