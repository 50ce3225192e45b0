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
    delivered_at
from {{ source("landing", "files") }}
