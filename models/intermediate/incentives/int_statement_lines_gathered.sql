-- One row per line of a statement: those of closed periods as the ledger has them, untouched, and
-- those of open periods as computed tonight.
with computed as (

    select
        *,
        row_number() over (partition by statement_id order by line_key) as line_no
    from {{ ref("int_statement_lines_allocated") }}

),

closed as (

    select * from {{ source("control", "ledger_statement_lines") }}

),

parts as (

    select
        statement_id,
        period_type,
        period_start
    from {{ ref("int_plan_parts_pooled") }}

),

periods as (

    select * from {{ ref("int_periods_judged") }}
    where not is_closed

)

select
    closed.statement_id,
    closed.line_no,
    closed.line_key,
    closed.line_type,
    closed.measure_code,
    closed.measured_level,
    closed.measured_entity_id,
    closed.status,
    closed.value,
    closed.n,
    closed.ci_low,
    closed.ci_high,
    closed.target,
    closed.attainment,
    closed.probability_above_target,
    closed.points,
    closed.weight,
    closed.effective_weight,
    closed.amount,
    closed.definition_version
from closed
union all
select
    computed.statement_id,
    computed.line_no,
    computed.line_key,
    computed.line_type,
    computed.measure_code,
    computed.measured_level,
    computed.measured_entity_id,
    computed.status,
    computed.value,
    computed.n,
    computed.ci_low,
    computed.ci_high,
    computed.target,
    computed.attainment,
    computed.probability_above_target,
    computed.points,
    computed.weight,
    computed.effective_weight,
    computed.amount,
    computed.definition_version
from computed
inner join parts
    on computed.statement_id = parts.statement_id
inner join periods
    on
        parts.period_type = periods.period_type
        and parts.period_start = periods.period_start
