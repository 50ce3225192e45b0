select
    store_id,
    store_name,
    region,
    format,
    opened_on,
    closed_on
from {{ ref("stg_sales__stores") }}
