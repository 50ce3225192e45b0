-- One row per employee, plan, period and part of the period in the plan's role: the share of the
-- period worked.
with parts as (

    select * from {{ ref("int_assignments_parted") }}

),

plans as (

    select * from {{ ref("incentive_plans") }}

),

absences as (

    select * from {{ ref("int_absences_merged") }}

),

-- The plan in force on the first day of the period governs all of it.
assigned as (

    select
        parts.*,
        plans.plan_code,
        plans.base_type,
        plans.base_value,
        plans.base_measure_code,
        plans.score_curve_code,
        plans.gate_measure_code,
        plans.gate_measured_at,
        plans.gate_minimum,
        plans.gate_factor,
        plans.gate_effect,
        plans.cap_factor,
        plans.minimum_per_sale,
        plans.pool_amount,
        plans.currency_code
    from parts
    inner join plans
        on
            parts.job_role = plans.job_role
            and parts.period_type = plans.period_type
            and {{ in_force("plans", "parts.period_start") }}

),

absent_days as (

    select
        assigned.employee_id,
        assigned.plan_code,
        assigned.period_start,
        assigned.part_no,
        sum(
            {{ days_between(
                "greatest(absences.starts_on, assigned.part_start)",
                "least(absences.ends_on, assigned.part_end)"
            ) }}
        ) as absent_days
    from assigned
    inner join absences
        on
            assigned.employee_id = absences.employee_id
            and assigned.part_start < absences.ends_on
            and assigned.part_end > absences.starts_on
    group by
        assigned.employee_id,
        assigned.plan_code,
        assigned.period_start,
        assigned.part_no

),

counted as (

    select
        assigned.*,
        cast({{ days_between("assigned.part_start", "assigned.part_end") }} as integer)
            as part_days,
        cast(coalesce(absent_days.absent_days, 0) as integer) as absent_days
    from assigned
    left join absent_days
        on
            assigned.employee_id = absent_days.employee_id
            and assigned.plan_code = absent_days.plan_code
            and assigned.period_start = absent_days.period_start
            and assigned.part_no = absent_days.part_no

)

select
    *,
    cast((part_days - absent_days) * fte as decimal(18, 4)) as worked_days,
    cast(
        {{ exact_divide("(part_days - absent_days) * fte", "period_days") }} as decimal(18, 12)
    ) as period_share
from counted
