-- One row per employee and month with orders: how many of them were followed by an invitation.
-- Whoever invites far fewer customers than the colleagues of the department, beyond chance, may
-- choose whom to ask.
with orders as (

    select * from {{ ref("int_orders_summed") }}

),

invitations as (

    select * from {{ ref("int_invitations_credited") }}

),

days as (

    select * from {{ ref("int_days_dated") }}

),

thresholds as (

    select * from {{ ref("survey_thresholds") }}

),

invited_orders as (

    select distinct order_id
    from invitations
    where order_id is not null and exclusion_reason is null

),

asked as (

    select
        orders.employee_id,
        orders.department_code,
        days.month_start as period_start,
        count(*) as total_count,
        count(invited_orders.order_id) as observed_count
    from orders
    inner join days
        on orders.ordered_on = days.date_day
    left join invited_orders
        on orders.order_id = invited_orders.order_id
    where orders.employee_id is not null and orders.department_code is not null
    group by orders.employee_id, orders.department_code, days.month_start

),

compared as (

    select
        *,
        cast(sum(observed_count) over (partition by department_code, period_start) as double)
        / sum(total_count) over (partition by department_code, period_start) as expected_ratio
    from asked

)

select
    compared.employee_id,
    compared.period_start,
    'few_invitations' as screen_code,
    sum(compared.total_count) as total_count,
    sum(compared.observed_count) as observed_count,
    max(compared.expected_ratio) as expected_ratio,
    max(
        case
            when
                compared.total_count >= thresholds.limit_count
                and {{ wilson_bound("compared.observed_count", "compared.total_count", "high") }}
                < thresholds.limit_ratio * compared.expected_ratio
                then 1
            else 0
        end
    ) = 1 as is_flagged
from compared
inner join thresholds
    on
        thresholds.rule_code = 'few_invitations'
        and {{ in_force("thresholds", "compared.period_start") }}
group by compared.employee_id, compared.period_start
