select
    outcome_id,
    evidence_id,
    touchpoint_code,
    evidence_kind,
    measure_code,
    score,
    event_id,
    known_at,
    known_on,
    points
from {{ ref("int_outcomes_evidenced") }}
