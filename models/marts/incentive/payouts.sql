with periods as (

    select * from {{ ref("int_periods_listed") }}

),

statements as (

    select
        employee_id,
        period_type,
        period_start,
        currency_code,
        count(*) as statement_count,
        sum(amount) as statements_amount,
        cast(0 as decimal(18, 2)) as adjustments_amount
    from {{ ref("int_statements_gathered") }}
    group by employee_id, period_type, period_start, currency_code

),

adjustments as (

    select
        employee_id,
        period_type,
        posted_period_start as period_start,
        currency_code,
        cast(0 as bigint) as statement_count,
        cast(0 as decimal(18, 2)) as statements_amount,
        sum(amount) as adjustments_amount
    from {{ ref("adjustments") }}
    group by employee_id, period_type, posted_period_start, currency_code

),

holds as (

    select * from {{ ref("holds") }}

),

ledger_periods as (

    select
        period_type,
        period_start,
        paid_at
    from {{ source("control", "ledger_periods") }}

),

-- A hold without a period holds every period until it is released. What was transferred before the
-- hold cannot be held any more: of a paid period only who was on hold when it was paid is held.
held as (

    select
        holds.employee_id,
        periods.period_type,
        periods.period_start
    from holds
    inner join periods
        on
            holds.period_start is null
            or (
                holds.period_type = periods.period_type
                and holds.period_start = periods.period_start
            )
    left join ledger_periods
        on
            periods.period_type = ledger_periods.period_type
            and periods.period_start = ledger_periods.period_start
    where periods.period_type in ('month', 'quarter')
    group by holds.employee_id, periods.period_type, periods.period_start
    having
        max(case when holds.is_held then 1 else 0 end) = 1
        and max(
            case
                when ledger_periods.paid_at is null then 1
                when
                    holds.held_at <= ledger_periods.paid_at
                    and (
                        holds.released_at is null or holds.released_at > ledger_periods.paid_at
                    )
                    then 1
                else 0
            end
        ) = 1

),

gathered as (

    select * from statements
    union all
    select * from adjustments

),

summed as (

    select
        employee_id,
        period_type,
        period_start,
        currency_code,
        cast(sum(statement_count) as bigint) as statement_count,
        cast(sum(statements_amount) as decimal(18, 2)) as statements_amount,
        cast(sum(adjustments_amount) as decimal(18, 2)) as adjustments_amount
    from gathered
    group by employee_id, period_type, period_start, currency_code

),

running as (

    select
        *,
        sum(statements_amount + adjustments_amount) over account as earned_to_date
    from summed
    window account as (
        partition by employee_id, period_type, currency_code
        order by period_start
        rows between unbounded preceding and current row
    )

),

-- Nobody is paid less than nothing: what is owed is carried on until it is earned. Owed after a
-- period is how far all that was earned lies below the highest it ever stood at.
owed as (

    select
        *,
        greatest(max(earned_to_date) over account, 0) - earned_to_date as receivable_amount
    from running
    window account as (
        partition by employee_id, period_type, currency_code
        order by period_start
        rows between unbounded preceding and current row
    )

),

carried as (

    select
        *,
        -coalesce(
            lag(receivable_amount) over (
                partition by employee_id, period_type, currency_code order by period_start
            ), 0
        ) as carried_amount
    from owed

),

due as (

    select
        carried.*,
        carried.statements_amount
        + carried.adjustments_amount
        + carried.carried_amount
        + carried.receivable_amount as due_amount,
        held.employee_id is not null as is_held
    from carried
    left join held
        on
            carried.employee_id = held.employee_id
            and carried.period_type = held.period_type
            and carried.period_start = held.period_start

)

select
    due.employee_id,
    due.period_type,
    due.period_start,
    periods.period_end,
    due.currency_code,
    periods.is_complete,
    due.statement_count,
    due.statements_amount,
    due.adjustments_amount,
    cast(due.carried_amount as decimal(18, 2)) as carried_amount,
    cast(due.receivable_amount as decimal(18, 2)) as receivable_amount,
    due.is_held,
    cast(case when due.is_held then due.due_amount else 0 end as decimal(18, 2)) as held_amount,
    cast(case when due.is_held then 0 else due.due_amount end as decimal(18, 2)) as amount
from due
inner join periods
    on
        due.period_type = periods.period_type
        and due.period_start = periods.period_start
