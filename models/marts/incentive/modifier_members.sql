select
    employee_id,
    plan_code,
    period_type,
    period_start,
    part_no,
    modifier_code,
    applies_to,
    applies_to_code,
    multiplier,
    is_applied
from {{ ref("int_plan_modifiers_matched") }}
