-- One row per return and statement that paid commission for the line: what it takes back at the
-- rate it was paid at, and the period that this is posted in: that of the return, or the first
-- open one where that is closed.
with returned as (

    select * from {{ ref("int_returns_credited") }}
    where exclusion_reason is null

),

sales as (

    select * from {{ ref("int_sales_credited") }}
    where exclusion_reason is null and employee_id is not null

),

statements as (

    select * from {{ ref("int_statements_gathered") }}
    where base_type = 'delivered_revenue_share' and commission_rate is not null

),

customers as (

    select
        customer_id,
        segment
    from {{ ref("stg_sales__customers") }}

),

modifiers as (

    select * from {{ ref("plan_modifiers") }}
    where applies_to = 'customer_segment'

),

closed as (

    select
        period_type,
        period_start
    from {{ source("control", "ledger_periods") }}
    where state in ('closed', 'paid')

),

periods as (

    select
        listed.*,
        closed.period_start is null as is_open,
        min(case when closed.period_start is null then listed.period_start end) over (
            partition by listed.period_type
        ) as first_open_start
    from {{ ref("int_periods_listed") }} as listed
    left join closed
        on
            listed.period_type = closed.period_type
            and listed.period_start = closed.period_start
    where listed.period_type in ('month', 'quarter')

),

-- No more comes back than was sold.
counted as (

    select
        *,
        sum(quantity) over (
            partition by order_id, line_no
            order by returned_on, return_id
            rows between unbounded preceding and current row
        ) as quantity_to_date
    from returned

),

taken as (

    select
        counted.return_id,
        counted.returned_on,
        counted.order_id,
        counted.line_no,
        sales.employee_id,
        sales.customer_id,
        sales.date_day,
        sales.credited_amount,
        sales.quantity as sold_quantity,
        least(counted.quantity_to_date, sales.quantity)
        - least(counted.quantity_to_date - counted.quantity, sales.quantity) as returned_quantity
    from counted
    inner join sales
        on
            counted.order_id = sales.order_id
            and counted.line_no = sales.line_no
    where sales.quantity > 0 and sales.credited_amount > 0

),

rated as (

    select
        taken.*,
        statements.statement_id,
        statements.plan_code,
        statements.period_type,
        statements.period_start as sold_period_start,
        statements.commission_rate,
        statements.paid_factor,
        statements.amount as statement_amount,
        statements.currency_code,
        coalesce(modifiers.multiplier, 1) as segment_multiplier,
        case
            when return_periods.is_open then return_periods.period_start
            else return_periods.first_open_start
        end as posted_period_start
    from taken
    inner join statements
        on
            taken.employee_id = statements.employee_id
            and taken.date_day >= statements.part_start
            and taken.date_day < statements.part_end
    inner join periods as return_periods
        on
            statements.period_type = return_periods.period_type
            and taken.returned_on >= return_periods.period_start
            and taken.returned_on < return_periods.period_end
    left join customers
        on taken.customer_id = customers.customer_id
    left join modifiers
        on
            statements.plan_code = modifiers.plan_code
            and customers.segment = modifiers.applies_to_code
            and {{ in_force("modifiers", "statements.period_start") }}
    qualify
        row_number() over (
            partition by taken.return_id, statements.statement_id order by modifiers.modifier_code
        ) = 1

)

select
    *,
    cast(
        {{ exact_divide("credited_amount * returned_quantity", "sold_quantity", 8) }}
        as decimal(18, 8)
    ) as returned_amount,
    cast(
        cast(
            cast(
                {{ exact_divide("credited_amount * returned_quantity", "sold_quantity", 8) }}
                as decimal(18, 8)
            ) * commission_rate * segment_multiplier as decimal(18, 8)
        ) * paid_factor as decimal(28, 10)
    ) as taken_amount
from rated
where posted_period_start is not null
