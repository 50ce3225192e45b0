-- A table: the calendar and the credit of sales both read it, and its records are many.
{{ config(materialized="table") }}

with latest as (

    {{ latest_version(source("sales", "order_lines"), ["order_id", "line_no"]) }}

)

select
    order_id,
    line_no,
    ordered_at,
    store_id,
    product_id,
    quantity,
    unit_price,
    currency_code,
    customer_id,
    employee_id,
    coalesce(channel, 'store') as channel,
    coalesce(discount_amount, 0) as discount_amount,
    _file_id as file_id,
    _line_no as file_line_no
from latest
