-- One row per payee, period and rule of the gate that doubts what this one person is to be paid.
-- Who is doubted is held, and everybody else is paid. Only complete periods that are not closed: a
-- period that has begun pays for the days so far, and what was closed is held by the ledger. A
-- doubt that the ledger knows by its key was taken over at the close, or released by a person.
with statements as (

    select * from {{ ref("int_statements_gathered") }}
    where is_complete

),

assignments as (

    select
        employee_id,
        valid_from,
        valid_to,
        lead(valid_from) over (
            partition by employee_id order by valid_from
        ) as next_valid_from
    from {{ ref("stg_hr__assignments") }}

),

periods as (

    select * from {{ ref("int_periods_listed") }}

),

ledger_periods as (

    select
        period_type,
        period_start
    from {{ source("control", "ledger_periods") }}
    where state in ('closed', 'paid')

),

ledger_holds as (

    select hold_id from {{ source("control", "ledger_holds") }}

),

night as (

    select as_of from {{ source("control", "night") }}

),

thresholds as (

    select
        max(
            case
                when thresholds.rule_name = 'payees.bases_stay'
                    then thresholds.threshold
            end
        ) as base_factor,
        max(
            case
                when thresholds.rule_name = 'payees.pay_rises_slowly'
                    then thresholds.threshold
            end
        ) as rise_factor,
        max(
            case
                when thresholds.rule_name = 'payees.pay_follows_the_base'
                    then thresholds.threshold
            end
        ) as pay_factor,
        max(
            case
                when thresholds.rule_name = 'payees.work_full_time_at_most'
                    then thresholds.threshold
            end
        ) as most_fte
    from {{ ref("gate_thresholds") }} as thresholds
    inner join night
        on {{ in_force("thresholds", "night.as_of") }}

),

-- What a plan pays on, beside what it paid on in the person's last period under it.
bases as (

    select
        employee_id,
        plan_code,
        period_type,
        period_start,
        max(base_amount) as base_amount,
        lag(max(base_amount)) over (
            partition by employee_id, plan_code, period_type order by period_start
        ) as base_amount_before
    from statements
    where base_type in ('salary_share', 'amount') and base_problem is null
    group by employee_id, plan_code, period_type, period_start

),

paid as (

    select
        employee_id,
        period_type,
        period_start,
        sum(amount) as amount,
        sum(gross_amount) as gross_amount,
        sum(worked_days) as worked_days,
        max(fte) as fte
    from statements
    group by employee_id, period_type, period_start

),

-- By days worked, so that a first month of three days is no yardstick for a whole one; beside the
-- best of the three periods before, so that one month without a bonus is none either.
rises as (

    select
        *,
        max(
            case
                when worked_days > 0 then cast(amount / worked_days as decimal(28, 8))
            end
        ) over (
            partition by employee_id, period_type
            order by period_start
            rows between 3 preceding and 1 preceding
        ) as best_per_day
    from paid

),

doubts as (

    select distinct
        employee_id,
        period_type,
        period_start,
        'payees.have_a_base' as rule_name,
        base_problem as observed
    from statements
    where base_problem is not null
    union all
    select distinct
        bases.employee_id,
        bases.period_type,
        bases.period_start,
        'payees.bases_stay' as rule_name,
        concat(
            cast(cast(bases.base_amount as decimal(18, 2)) as varchar),
            ' after ',
            cast(cast(bases.base_amount_before as decimal(18, 2)) as varchar)
        ) as observed
    from bases
    cross join thresholds
    where
        bases.base_amount > thresholds.base_factor * bases.base_amount_before
        or bases.base_amount * thresholds.base_factor < bases.base_amount_before
    union all
    select
        rises.employee_id,
        rises.period_type,
        rises.period_start,
        'payees.pay_rises_slowly' as rule_name,
        concat(
            cast(cast(rises.amount as decimal(18, 2)) as varchar),
            ' for ',
            cast(cast(rises.worked_days as decimal(18, 1)) as varchar),
            ' days, at most ',
            cast(cast(rises.best_per_day as decimal(18, 2)) as varchar),
            ' a day before'
        ) as observed
    from rises
    cross join thresholds
    where
        rises.best_per_day > 0
        and rises.amount > thresholds.rise_factor * rises.best_per_day * rises.worked_days
    union all
    select
        paid.employee_id,
        paid.period_type,
        paid.period_start,
        'payees.pay_follows_the_base' as rule_name,
        concat(
            cast(cast(paid.amount as decimal(18, 2)) as varchar),
            ' on a base of ',
            cast(cast(paid.gross_amount as decimal(18, 2)) as varchar)
        ) as observed
    from paid
    cross join thresholds
    where paid.amount > thresholds.pay_factor * paid.gross_amount
    union all
    select
        paid.employee_id,
        paid.period_type,
        paid.period_start,
        'payees.work_full_time_at_most' as rule_name,
        concat('fte ', cast(paid.fte as varchar)) as observed
    from paid
    cross join thresholds
    where paid.fte > thresholds.most_fte
    union all
    -- Both said to be true on the same day: which one pays, nobody has told.
    select distinct
        paid.employee_id,
        paid.period_type,
        paid.period_start,
        'payees.have_one_assignment_a_day' as rule_name,
        concat(
            'until ',
            cast(assignments.valid_to as varchar),
            ' and from ',
            cast(assignments.next_valid_from as varchar)
        ) as observed
    from paid
    inner join periods
        on
            paid.period_type = periods.period_type
            and paid.period_start = periods.period_start
    inner join assignments
        on
            paid.employee_id = assignments.employee_id
            and assignments.next_valid_from < assignments.valid_to
            and periods.period_end > assignments.next_valid_from
            and periods.period_start < assignments.valid_to

),

-- What was observed is part of the key: who released a doubt has released this amount and no other.
keyed as (

    select
        *,
        concat(
            'gate:', rule_name, ':', employee_id, ':', period_type, ':',
            cast(period_start as varchar), ':', observed
        ) as hold_id
    from doubts

)

select
    keyed.hold_id,
    keyed.employee_id,
    keyed.period_type,
    keyed.period_start,
    keyed.rule_name,
    keyed.observed,
    night.as_of as doubted_on
from keyed
cross join night
left join ledger_periods
    on
        keyed.period_type = ledger_periods.period_type
        and keyed.period_start = ledger_periods.period_start
left join ledger_holds
    on keyed.hold_id = ledger_holds.hold_id
where ledger_periods.period_start is null and ledger_holds.hold_id is null
