select
    level,
    entity_id,
    period_type,
    period_start,
    domain_code,
    line_count,
    scored_line_count,
    weight,
    effective_weight,
    base_score,
    consistency_score,
    score
from {{ ref("int_scorecard_domains_scored") }}
where is_main_part
