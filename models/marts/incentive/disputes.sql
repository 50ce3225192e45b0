select
    dispute_id,
    statement_id,
    line_key,
    employee_id,
    ground,
    opened_by,
    opened_at,
    owner,
    cast(due_at as date) as due_at,
    state,
    outcome,
    resolved_by,
    resolved_at,
    adjustment_id
from {{ source("control", "ledger_disputes") }}
