select
    hold_id,
    employee_id,
    period_type,
    period_start,
    reason,
    held_by,
    held_at,
    released_by,
    released_at,
    released_at is null as is_held
from {{ source("control", "ledger_holds") }}
