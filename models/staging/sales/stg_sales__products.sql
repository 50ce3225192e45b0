with source as (

    select * from {{ source("sales", "products") }}

),

latest as (

    {{ latest_of_snapshots("source", ["product_id"]) }}

)

select
    product_id,
    product_name,
    category,
    unit_cost,
    gone_on as closed_on,
    _file_id as file_id,
    _line_no as file_line_no
from latest
