select
    level,
    entity_id,
    period_type,
    period_start,
    period_end,
    is_complete,
    subject_code as job_role_or_entity,
    store_id,
    department_code,
    region,
    line_count,
    scored_line_count,
    spread_weight,
    score
from {{ ref("int_scorecards_totalled") }}
where is_main_part
