select
    statement_id,
    line_no,
    line_key,
    line_type,
    measure_code,
    measured_level,
    measured_entity_id,
    status,
    value,
    n,
    ci_low,
    ci_high,
    target,
    attainment,
    probability_above_target,
    points,
    weight,
    effective_weight,
    -- DuckDB 2 gives a union of decimals one more digit.
    cast(amount as decimal(18, 2)) as amount,
    definition_version
from {{ ref("int_statement_lines_gathered") }}
