-- One row per line of a statement and period it is corrected in: what returns take back from
-- commission paid, and what late data changes in closed periods, each less what the ledger holds
-- of it already.
with clawbacks as (

    select * from {{ ref("int_returns_clawed_back") }}

),

recorded as (

    select * from {{ source("control", "ledger_adjustments") }}

),

judged as (

    select * from {{ ref("int_periods_judged") }}

),

listed as (

    select * from {{ ref("int_periods_listed") }}
    where period_type in ('month', 'quarter')

),

ledger_periods as (

    select
        period_type,
        period_start
    from {{ source("control", "ledger_periods") }}
    where state in ('closed', 'paid')

),

closed_statements as (

    select * from {{ source("control", "ledger_statements") }}

),

closed_lines as (

    select * from {{ source("control", "ledger_statement_lines") }}

),

computed_parts as (

    select * from {{ ref("int_plan_parts_pooled") }}

),

computed_lines as (

    select * from {{ ref("int_statement_lines_allocated") }}

),

first_open as (

    select
        listed.period_type,
        min(listed.period_start) as period_start
    from listed
    left join ledger_periods
        on
            listed.period_type = ledger_periods.period_type
            and listed.period_start = ledger_periods.period_start
    where ledger_periods.period_start is null
    group by listed.period_type

),

compared_lines as (

    select
        closed_lines.statement_id,
        closed_lines.line_key,
        closed_statements.employee_id,
        closed_statements.plan_code,
        closed_statements.period_type,
        closed_statements.period_start,
        closed_statements.currency_code,
        -closed_lines.amount as amount
    from closed_lines
    inner join closed_statements
        on closed_lines.statement_id = closed_statements.statement_id
    inner join judged
        on
            closed_statements.period_type = judged.period_type
            and closed_statements.period_start = judged.period_start
            and judged.is_closed
    union all
    select
        computed_lines.statement_id,
        computed_lines.line_key,
        computed_parts.employee_id,
        computed_parts.plan_code,
        computed_parts.period_type,
        computed_parts.period_start,
        computed_parts.currency_code,
        computed_lines.amount
    from computed_lines
    inner join computed_parts
        on computed_lines.statement_id = computed_parts.statement_id
    inner join judged
        on
            computed_parts.period_type = judged.period_type
            and computed_parts.period_start = judged.period_start
            and judged.is_closed
    union all
    -- What a person corrected by hand is not corrected once more.
    select
        recorded.statement_id,
        recorded.line_key,
        recorded.employee_id,
        recorded.plan_code,
        recorded.period_type,
        recorded.corrected_period_start as period_start,
        recorded.currency_code,
        -recorded.amount as amount
    from recorded
    inner join judged
        on
            recorded.period_type = judged.period_type
            and recorded.corrected_period_start = judged.period_start
            and judged.is_closed
    where recorded.adjustment_type != 'clawback'

),

late_rows as (

    select
        compared_lines.statement_id,
        compared_lines.line_key,
        compared_lines.employee_id,
        compared_lines.plan_code,
        compared_lines.period_type,
        compared_lines.period_start as corrected_period_start,
        first_open.period_start as posted_period_start,
        'late_data' as adjustment_type,
        cast(sum(compared_lines.amount) as decimal(18, 2)) as amount,
        compared_lines.currency_code,
        'data delivered or corrected after the period was closed' as reason
    from compared_lines
    inner join first_open
        on compared_lines.period_type = first_open.period_type
    group by
        compared_lines.statement_id,
        compared_lines.line_key,
        compared_lines.employee_id,
        compared_lines.plan_code,
        compared_lines.period_type,
        compared_lines.period_start,
        first_open.period_start,
        compared_lines.currency_code

),

-- What was paid of a statement is what it was closed with and all that corrected it since.
corrections as (

    select
        statement_id,
        sum(amount) as amount
    from (
        select
            statement_id,
            amount
        from recorded
        where adjustment_type != 'clawback'
        union all
        select
            statement_id,
            amount
        from late_rows
    ) as changes
    group by statement_id

),

-- Returns to date, and no more than the statement paid: what one more return takes is the
-- difference, so that roundings never add up.
clawback_sums as (

    select
        statement_id,
        employee_id,
        plan_code,
        period_type,
        sold_period_start,
        posted_period_start,
        statement_amount,
        currency_code,
        count(*) as return_count,
        cast(sum(taken_amount) as decimal(28, 10)) as taken_amount
    from clawbacks
    group by
        statement_id,
        employee_id,
        plan_code,
        period_type,
        sold_period_start,
        posted_period_start,
        statement_amount,
        currency_code

),

clawback_totals as (

    select
        clawback_sums.*,
        least(
            {{ to_cents("sum(clawback_sums.taken_amount) over to_date") }},
            greatest(clawback_sums.statement_amount + coalesce(corrections.amount, 0), 0)
        ) as taken_to_date,
        row_number() over to_date as posting_no
    from clawback_sums
    left join corrections
        on clawback_sums.statement_id = corrections.statement_id
    window to_date as (
        partition by clawback_sums.statement_id
        order by clawback_sums.posted_period_start
        rows between unbounded preceding and current row
    )

),

recorded_clawbacks as (

    select
        statement_id,
        -sum(amount) as taken_amount
    from recorded
    where adjustment_type = 'clawback'
    group by statement_id

),

clawback_rows as (

    select
        totals.statement_id,
        '2|commission' as line_key,
        totals.employee_id,
        totals.plan_code,
        totals.period_type,
        totals.sold_period_start as corrected_period_start,
        totals.posted_period_start,
        'clawback' as adjustment_type,
        cast(
            case
                when totals.posting_no = 1 then coalesce(recorded_clawbacks.taken_amount, 0)
                else lag(totals.taken_to_date) over (
                    partition by totals.statement_id order by totals.posting_no
                )
            end - totals.taken_to_date as decimal(18, 2)
        ) as amount,
        totals.currency_code,
        concat(
            cast(totals.return_count as {{ dbt.type_string() }}),
            ' returns of lines that this statement paid, at its rate'
        ) as reason
    from clawback_totals as totals
    left join recorded_clawbacks
        on totals.statement_id = recorded_clawbacks.statement_id

),

-- What was taken back for returns of which none stands any more (the return, or the sale itself,
-- was corrected) is given back. What a person took back by hand stays: its key is not a night's.
restored_rows as (

    select
        recorded.statement_id,
        recorded.line_key,
        recorded.employee_id,
        recorded.plan_code,
        recorded.period_type,
        recorded.corrected_period_start,
        first_open.period_start as posted_period_start,
        'clawback' as adjustment_type,
        cast(-sum(recorded.amount) as decimal(18, 2)) as amount,
        recorded.currency_code,
        'returns that were taken back and stand no more' as reason
    from recorded
    inner join first_open
        on recorded.period_type = first_open.period_type
    left join clawback_sums
        on recorded.statement_id = clawback_sums.statement_id
    where
        recorded.adjustment_type = 'clawback'
        and recorded.adjustment_id like 'clawback|%'
        and clawback_sums.statement_id is null
    group by
        recorded.statement_id,
        recorded.line_key,
        recorded.employee_id,
        recorded.plan_code,
        recorded.period_type,
        recorded.corrected_period_start,
        first_open.period_start,
        recorded.currency_code

),

proposed as (

    select * from clawback_rows
    union all
    select * from restored_rows
    union all
    select * from late_rows

)

select
    concat(
        adjustment_type, '|', statement_id, '|', line_key, '|',
        cast(posted_period_start as {{ dbt.type_string() }})
    ) as adjustment_id,
    *
from proposed
where amount != 0
