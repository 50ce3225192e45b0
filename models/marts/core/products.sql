select
    product_id,
    product_name,
    category,
    unit_cost,
    closed_on is null as is_current
from {{ ref("stg_sales__products") }}
