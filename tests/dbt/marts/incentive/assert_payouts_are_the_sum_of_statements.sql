-- What an employee is paid for a period is the sum of its statements, and every statement is in one
-- payout.
{{ config(
    tags=["incentives"],
    meta={"dagster": {"ref": {"name": "payouts"}}},
) }}

with summed as (

    select
        employee_id,
        period_type,
        period_start,
        currency_code,
        count(*) as statement_count,
        sum(amount) as amount
    from {{ ref("statements") }}
    group by employee_id, period_type, period_start, currency_code

)

select
    coalesce(payouts.employee_id, summed.employee_id) as employee_id,
    coalesce(payouts.period_type, summed.period_type) as period_type,
    coalesce(payouts.period_start, summed.period_start) as period_start,
    payouts.statements_amount as payout_amount,
    summed.amount as statements_amount,
    payouts.statement_count,
    summed.statement_count as statements_counted
from {{ ref("payouts") }} as payouts
full outer join summed
    on
        payouts.employee_id = summed.employee_id
        and payouts.period_type = summed.period_type
        and payouts.period_start = summed.period_start
        and payouts.currency_code = summed.currency_code
where
    coalesce(payouts.statements_amount, 0) != coalesce(summed.amount, 0)
    or coalesce(payouts.statement_count, 0) != coalesce(summed.statement_count, 0)
