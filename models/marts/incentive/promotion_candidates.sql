select
    employee_id,
    job_role,
    next_job_role,
    as_of,
    criterion_no,
    criterion,
    required_value,
    observed_value,
    is_met,
    explanation,
    is_candidate
from {{ ref("int_promotion_criteria_checked") }}
