select
    customer_id,
    window_start,
    window_end,
    cast(invited_count as bigint) as invited_count,
    cast(answered_count as bigint) as answered_count
from {{ ref("int_customers_fatigued") }}
