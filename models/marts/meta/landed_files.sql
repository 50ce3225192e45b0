select
    file_id,
    source_name,
    extract_name,
    file_name,
    status,
    reason,
    row_count,
    raw_row_count,
    rejected_row_count,
    delivered_at,
    {{ local_day("delivered_at") }} as delivered_on,
    is_dated,
    {{ is_full_list("source_name", "extract_name") }} as is_full_list
from {{ source("landing", "files") }}
