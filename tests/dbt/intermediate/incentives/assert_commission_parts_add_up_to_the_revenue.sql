-- The revenue that a person's commission is a share of is all of the lines that person sold on days
-- under the plan: a transfer in the middle of the period neither loses a sale nor pays it twice.
{{ config(
    tags=["incentives"],
    meta={"dagster": {"ref": {"name": "int_plan_parts_based"}}},
) }}

with parts as (

    select
        employee_id,
        plan_code,
        period_start,
        sum(part_revenue) as revenue
    from {{ ref("int_plan_parts_based") }}
    where base_type = 'delivered_revenue_share'
    group by employee_id, plan_code, period_start

),

plans as (

    select
        plans.plan_code,
        plans.job_role,
        periods.period_start,
        periods.period_end
    from {{ ref("incentive_plans") }} as plans
    inner join {{ ref("int_periods_judged") }} as periods
        on
            plans.period_type = periods.period_type
            and {{ in_force("plans", "periods.period_start") }}
    where plans.base_type = 'delivered_revenue_share'

),

sold as (

    select
        lines.employee_id,
        plans.plan_code,
        plans.period_start,
        sum(lines.credited_amount) as revenue
    from {{ ref("int_sales_credited") }} as lines
    inner join {{ ref("int_assignments_bounded") }} as assignments
        on
            lines.employee_id = assignments.employee_id
            and {{ in_force("assignments", "lines.date_day") }}
    inner join plans
        on
            assignments.job_role = plans.job_role
            and lines.date_day >= plans.period_start
            and lines.date_day < plans.period_end
    where lines.exclusion_reason is null
    group by lines.employee_id, plans.plan_code, plans.period_start

)

select
    coalesce(parts.employee_id, sold.employee_id) as employee_id,
    coalesce(parts.plan_code, sold.plan_code) as plan_code,
    coalesce(parts.period_start, sold.period_start) as period_start,
    parts.revenue as part_revenue,
    sold.revenue as sold_revenue
from parts
full outer join sold
    on
        parts.employee_id = sold.employee_id
        and parts.plan_code = sold.plan_code
        and parts.period_start = sold.period_start
where coalesce(parts.revenue, 0) != coalesce(sold.revenue, 0)
