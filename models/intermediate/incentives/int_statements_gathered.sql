-- One row per statement: those of closed periods as the ledger has them, untouched, and those of
-- open periods as computed tonight.
with parts as (

    select * from {{ ref("int_plan_parts_pooled") }}

),

closed as (

    select * from {{ source("control", "ledger_statements") }}

),

periods as (

    select * from {{ ref("int_periods_judged") }}
    where not is_closed

)

select
    closed.statement_id,
    closed.employee_id,
    closed.plan_code,
    closed.period_type,
    closed.period_start,
    closed.period_end,
    closed.is_complete,
    closed.part_no,
    closed.part_start,
    closed.part_end,
    closed.job_role,
    closed.store_id,
    closed.department_code,
    closed.fte,
    closed.part_days,
    closed.absent_days,
    closed.worked_days,
    closed.period_days,
    closed.period_share,
    closed.base_type,
    closed.base_amount,
    closed.base_problem,
    closed.gross_amount,
    closed.score,
    closed.spread_weight,
    closed.payout_factor,
    closed.gate_measure_code,
    closed.gate_status,
    closed.modifier_code,
    closed.multiplier,
    closed.commission_rate,
    closed.paid_factor,
    closed.pool_amount,
    closed.amount,
    closed.currency_code
from closed
union all
select
    parts.statement_id,
    parts.employee_id,
    parts.plan_code,
    parts.period_type,
    parts.period_start,
    parts.period_end,
    parts.is_complete,
    parts.part_no,
    parts.part_start,
    parts.part_end,
    parts.job_role,
    parts.store_id,
    parts.department_code,
    parts.fte,
    parts.part_days,
    parts.absent_days,
    parts.worked_days,
    parts.period_days,
    parts.period_share,
    parts.base_type,
    parts.base_amount,
    parts.base_problem,
    parts.gross_amount,
    parts.score,
    parts.spread_weight,
    parts.payout_factor,
    parts.gate_measure_code,
    parts.gate_status,
    parts.modifier_code,
    parts.multiplier,
    case
        when parts.base_type = 'delivered_revenue_share'
            then cast(parts.delivered_value as decimal(18, 8))
    end as commission_rate,
    parts.paid_factor,
    parts.pool_amount,
    parts.amount,
    parts.currency_code
from parts
inner join periods
    on
        parts.period_type = periods.period_type
        and parts.period_start = periods.period_start
