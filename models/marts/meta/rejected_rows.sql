-- Raw text is shown only for extracts without contact or pay columns: a refused row of those stays
-- in the warehouse, where `scorecard landed --rejects` shows it to whoever may see it.
select
    file_id,
    source_name,
    extract_name,
    file_name,
    line_no,
    column_name,
    reason_code,
    case when {{ is_open_extract("source_name", "extract_name") }} then reason end as reason,
    case when {{ is_open_extract("source_name", "extract_name") }} then raw_text end as raw_text
from {{ source("landing", "rejected_rows") }}
-- A row that a mended contract has released is in raw.
where released_at is null
