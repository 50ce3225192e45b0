-- One row per closed period that what was delivered since would change: a file landed after the
-- last close with a record of its days, or an assignment that is not the one paid for. Only these
-- are computed again, and only to be compared with what was closed.
{% set extracts = [
    ("sales", "order_lines", ["order_id", "line_no"], local_day("rows.ordered_at"), none),
    ("sales", "returns", ["return_id"], local_day("rows.returned_at"), none),
    ("survey", "responses", ["response_id"], local_day("rows.submitted_at"), none),
    ("survey", "invitations", ["invitation_id"], local_day("rows.sent_at"), none),
    ("service", "tickets", ["ticket_id"], local_day("rows.opened_at"), none),
    ("hr", "leave", ["leave_id"], "rows.starts_on", "rows.ends_on"),
    (
        "hr",
        "targets",
        ["measure_code", "level", "entity_id", "period_start"],
        "rows.period_start",
        none,
    ),
    (
        "hr",
        "measure_values",
        ["measure_code", "level", "entity_id", "period_start"],
        "rows.period_start",
        none,
    ),
] %}

with ledger_periods as (

    select * from {{ source("control", "ledger_periods") }}
    where state in ('closed', 'paid')

),

statements as (

    select * from {{ source("control", "ledger_statements") }}

),

files as (

    select * from {{ source("landing", "files") }}
    where status = 'landed'

),

plans as (

    select * from {{ ref("incentive_plans") }}

),

assignments as (

    select * from {{ ref("int_assignments_bounded") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

),

-- What was corrected before the last close has its adjustments in the ledger.
closed as (

    select
        periods.period_type,
        periods.period_start,
        periods.period_end,
        max(coalesce(ledger_periods.calculated_at, ledger_periods.closed_at)) over (
            partition by periods.period_type
        ) as last_closed_at
    from ledger_periods
    inner join periods
        on
            ledger_periods.period_type = periods.period_type
            and ledger_periods.period_start = periods.period_start

),

new_files as (

    select
        files.file_id,
        files.landed_at
    from files
    where files.landed_at > (select min(last_closed_at) from closed)

),

late_orders as (

    select
        order_lines.order_id,
        max(new_files.landed_at) as landed_at
    from {{ source("sales", "order_lines") }} as order_lines
    inner join new_files
        on order_lines._file_id = new_files.file_id
    group by order_lines.order_id

),

-- Every version of a record that came again: a sale that moves from one month to another changes
-- both.
late_days as (

    {% for source_name, extract, key, first_day, last_day in extracts %}
    select
        {{ first_day }} as first_day,
        {{ last_day or first_day }} as last_day,
        new_rows.landed_at
    from {{ source(source_name, extract) }} as rows
    inner join (
        select
            {{ key | join(", ") }},
            max(new_files.landed_at) as landed_at
        from {{ source(source_name, extract) }} as delivered
        inner join new_files
            on delivered._file_id = new_files.file_id
        group by {{ key | join(", ") }}
    ) as new_rows
        on {% for column in key -%}
            rows.{{ column }} = new_rows.{{ column }} {{ "and " if not loop.last }}
        {%- endfor %}
    union all
    {% endfor %}
    select
        {{ local_day("responses.submitted_at") }} as first_day,
        {{ local_day("responses.submitted_at") }} as last_day,
        new_files.landed_at
    from {{ source("survey", "answers") }} as answers
    inner join new_files
        on answers._file_id = new_files.file_id
    inner join {{ source("survey", "responses") }} as responses
        on answers.response_id = responses.response_id
    union all
    select
        {{ local_day("order_lines.ordered_at") }} as first_day,
        {{ local_day("order_lines.ordered_at") }} as last_day,
        new_files.landed_at
    from {{ source("sales", "credit_splits") }} as credit_splits
    inner join new_files
        on credit_splits._file_id = new_files.file_id
    inner join {{ source("sales", "order_lines") }} as order_lines
        on
            credit_splits.order_id = order_lines.order_id
            and credit_splits.line_no = order_lines.line_no
    {% for extract, moment in [("responses", "submitted_at"), ("returns", "returned_at")] %}
    -- Who is credited with an answer or a return is read from its sale, which may be of another
    -- month.
    union all
    select
        {{ local_day("rows." ~ moment) }} as first_day,
        {{ local_day("rows." ~ moment) }} as last_day,
        late_orders.landed_at
    from {{ source("survey" if extract == "responses" else "sales", extract) }} as rows
    inner join late_orders
        on rows.order_id = late_orders.order_id
    {% endfor %}

),

late_periods as (

    select distinct
        closed.period_type,
        closed.period_start
    from closed
    inner join late_days
        on
            closed.period_end > late_days.first_day
            and closed.period_start <= late_days.last_day
            and closed.last_closed_at < late_days.landed_at

),

assigned_days as (

    select
        closed.period_type,
        closed.period_start,
        assignments.employee_id,
        plans.plan_code,
        assignments.store_id,
        assignments.department_code,
        assignments.fte,
        {{ days_between(
            "greatest(assignments.valid_from, closed.period_start)",
            "least(assignments.valid_to, closed.period_end)"
        ) }} as days,
        0 as paid_days
    from closed
    inner join assignments
        on
            closed.period_end > assignments.valid_from
            and closed.period_start < assignments.valid_to
    inner join plans
        on
            assignments.job_role = plans.job_role
            and closed.period_type = plans.period_type
            and {{ in_force("plans", "closed.period_start") }}
    union all
    select
        statements.period_type,
        statements.period_start,
        statements.employee_id,
        statements.plan_code,
        statements.store_id,
        statements.department_code,
        statements.fte,
        0 as days,
        statements.part_days as paid_days
    from statements
    inner join closed
        on
            statements.period_type = closed.period_type
            and statements.period_start = closed.period_start

),

moved_periods as (

    select distinct
        period_type,
        period_start
    from (
        select
            period_type,
            period_start
        from assigned_days
        group by
            period_type,
            period_start,
            employee_id,
            plan_code,
            store_id,
            department_code,
            fte
        having sum(days) != sum(paid_days)
    ) as differences

)

select
    period_type,
    period_start
from late_periods
union
select
    period_type,
    period_start
from moved_periods
