with statements as (

    select
        period_type,
        period_start,
        count(*) as statement_count,
        cast(sum(amount) as decimal(18, 2)) as amount
    from {{ ref("int_statements_gathered") }}
    group by period_type, period_start

),

ledger_periods as (

    select * from {{ source("control", "ledger_periods") }}

),

listed as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

)

select
    listed.period_type,
    listed.period_start,
    listed.period_end,
    listed.is_complete,
    coalesce(ledger_periods.state, 'open') as state,
    ledger_periods.prepared_by,
    ledger_periods.approved_by,
    ledger_periods.calculated_at,
    ledger_periods.approved_at,
    ledger_periods.closed_at,
    ledger_periods.paid_at,
    ledger_periods.release_id,
    ledger_periods.as_of,
    ledger_periods.inputs_hash,
    ledger_periods.policy_hash,
    ledger_periods.entry_hash,
    coalesce(statements.statement_count, 0) as statement_count,
    coalesce(statements.amount, 0) as amount
from listed
left join statements
    on
        listed.period_type = statements.period_type
        and listed.period_start = statements.period_start
left join ledger_periods
    on
        listed.period_type = ledger_periods.period_type
        and listed.period_start = ledger_periods.period_start
where statements.period_start is not null or ledger_periods.period_start is not null
