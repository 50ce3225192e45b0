-- Every day that somebody is assigned to a role with a plan is on exactly one statement of that
-- plan, and no statement has a day beside: nobody is missing, nobody is paid twice. Closed periods
-- are as the ledger has them.
{{ config(
    tags=["incentives"],
    meta={"dagster": {"ref": {"name": "statements"}}},
) }}

with plans as (

    select
        plans.plan_code,
        plans.job_role,
        periods.period_type,
        periods.period_start,
        periods.period_end
    from {{ ref("incentive_plans") }} as plans
    inner join {{ ref("int_periods_judged") }} as periods
        on
            plans.period_type = periods.period_type
            and not periods.is_closed
            and {{ in_force("plans", "periods.period_start") }}

),

days as (

    select date_day from {{ ref("int_days_dated") }}

),

expected_days as (

    select
        assignments.employee_id,
        plans.plan_code,
        plans.period_start,
        days.date_day
    from {{ ref("employee_assignments") }} as assignments
    inner join plans
        on
            assignments.job_role = plans.job_role
            and assignments.valid_from < plans.period_end
            and coalesce(assignments.valid_to, cast('9999-12-31' as date)) > plans.period_start
    inner join days
        on
            {{ in_force("assignments", "days.date_day") }}
            and plans.period_start <= days.date_day
            and plans.period_end > days.date_day

),

stated_days as (

    select
        statements.employee_id,
        statements.plan_code,
        statements.period_start,
        days.date_day
    from {{ ref("statements") }} as statements
    inner join plans
        on
            statements.plan_code = plans.plan_code
            and statements.period_start = plans.period_start
    inner join days
        on
            statements.part_start <= days.date_day
            and statements.part_end > days.date_day

),

counted as (

    select
        employee_id,
        plan_code,
        period_start,
        date_day,
        1 as expected_count,
        0 as stated_count
    from expected_days
    union all
    select
        employee_id,
        plan_code,
        period_start,
        date_day,
        0 as expected_count,
        1 as stated_count
    from stated_days

)

select
    employee_id,
    plan_code,
    period_start,
    date_day,
    sum(expected_count) as expected_count,
    sum(stated_count) as stated_count
from counted
group by employee_id, plan_code, period_start, date_day
having sum(expected_count) != 1 or sum(stated_count) != 1
