"""Gate rules of ``incentive.statements``, its lines and payouts."""

from expectations.rules import Rule, rows_check

# Thresholds of the doubts about single payees, which the model int_payees_doubted reads.
PAYEE_THRESHOLDS = (
    "payees.bases_stay", "payees.pay_rises_slowly", "payees.pay_follows_the_base", "payees.work_full_time_at_most",
)  # fmt: skip

RULES = (
    Rule(
        "statements.cover_everybody_on_a_plan",
        """
        select count(*) as checked, count(*) filter (where statements.statement_id is null) as failed,
               count(statements.statement_id) as observed
        from warehouse.intermediate_incentives.int_plan_parts_based as parts
        left join incentives.incentive.statements as statements
            on statements.employee_id = parts.employee_id and statements.plan_code = parts.plan_code
            and statements.period_start = parts.period_start and statements.part_no = parts.part_no
        inner join warehouse.intermediate.int_periods_judged as periods
            on parts.period_type = periods.period_type and parts.period_start = periods.period_start
            and not periods.is_closed
        """,
    ),
    rows_check(
        "statements.have_a_base_or_a_hold",
        """
        select statements.statement_id, statements.employee_id, statements.period_start, statements.base_problem
        from incentives.incentive.statements as statements
        anti join closed_periods using (period_type, period_start)
        left join incentives.incentive.payouts as payouts using (employee_id, period_type, period_start, currency_code)
        left join released_doubts on released_doubts.hold_id = 'gate:payees.have_a_base:' || statements.employee_id || ':'
            || statements.period_type || ':' || statements.period_start || ':' || statements.base_problem
        where statements.base_problem is not null and statements.is_complete
          and not coalesce(payouts.is_held, false) and released_doubts.hold_id is null
        """,
        "select count(*) from incentives.incentive.statements",
    ),
    Rule(
        "statements.equal_the_sum_of_their_lines",
        """
        select count(*) as checked, count(*) filter (where statements.amount is distinct from lines.amount) as failed,
               sum(statements.amount) as observed
        from incentives.incentive.statements as statements
        left join (
            select statement_id, sum(amount) as amount from incentives.incentive.statement_lines group by statement_id
        ) as lines using (statement_id)
        """,
    ),
    Rule(
        "statements.sum_to_the_payouts",
        """
        select (select count(*) from incentives.incentive.statements) as checked,
               case when (select coalesce(sum(amount), 0) from incentives.incentive.statements)
                       = (select coalesce(sum(statements_amount), 0) from incentives.incentive.payouts)
                     and (select coalesce(sum(amount), 0) from incentives.incentive.adjustments)
                       = (select coalesce(sum(adjustments_amount), 0) from incentives.incentive.payouts)
                    then 0 else 1 end as failed,
               (select coalesce(sum(statements_amount), 0) from incentives.incentive.payouts) as observed
        """,
    ),
    Rule(
        "statements.shared_sales_add_up_to_1",
        """
        select (select count(*) from incentives.incentive.statements) as checked, count(split_problem) as failed,
               count(split_problem) as observed
        from warehouse.intermediate.int_order_lines_split
        """,
    ),
    Rule(
        "statements.closed_ones_are_those_of_the_ledger",
        """
        select (select count(*) from incentives.incentive.statements) as checked, count(*) as failed, count(*) as observed
        from (
            (select * from warehouse.control.ledger_statements except select * from incentives.incentive.statements)
            union all
            (
                select statements.* from incentives.incentive.statements as statements
                inner join warehouse.control.ledger_periods as periods
                    on statements.period_type = periods.period_type and statements.period_start = periods.period_start
                    and periods.state in ('closed', 'paid')
                except select * from warehouse.control.ledger_statements
            )
        ) as differences
        """,
    ),
    # By period: over all of them together, one that pays double would not show.
    rows_check(
        "statements.pay_no_more_than_the_budget_factor",
        """
        select period_type, period_start, currency_code, sum(gross_amount) as bases, sum(amount) as paid
        from incentives.incentive.statements
        group by period_type, period_start, currency_code
        having sum(amount) > $threshold::decimal(18, 4) * sum(gross_amount)
        """,
        "select count(*) from incentives.incentive.statements",
        has_threshold=True,
        version=2,
    ),
    rows_check(
        "statements.account_for_everybody_employed",
        """
        with employed as (
            select distinct employee_id, job_role, period_type, period_start
            from warehouse.intermediate.int_assignments_parted
            anti join closed_periods using (period_type, period_start)
        ),
        accounted as (
            select employed.*, statements.employee_id is not null as has_statement, plans.plan_code is not null as has_plan
            from employed
            left join (
                select distinct employee_id, job_role, period_type, period_start
                from incentives.incentive.statements
            ) as statements using (employee_id, job_role, period_type, period_start)
            left join warehouse.policy.incentive_plans as plans
                on plans.job_role = employed.job_role and plans.period_type = employed.period_type
                and plans.valid_from <= employed.period_start
                and employed.period_start < coalesce(plans.valid_to, date '9999-12-31')
        )
        -- In: everybody employed. Out: a statement, or the reason that the role has no plan. Both at once is a fault too.
        select distinct employee_id, job_role, period_type, period_start, has_statement, has_plan
        from accounted where has_statement <> has_plan
        """,
        "select count(*) from warehouse.intermediate.int_assignments_parted",
    ),
    rows_check(
        "statements.are_of_people_employed",
        """
        select statements.statement_id, statements.employee_id, statements.part_start, statements.part_end
        from incentives.incentive.statements as statements
        anti join closed_periods using (period_type, period_start)
        where not exists (
            select 1 from marts.core.employee_assignments as assignments
            where assignments.employee_id = statements.employee_id and assignments.job_role = statements.job_role
              and assignments.valid_from <= statements.part_start
              and coalesce(assignments.valid_to, date '9999-12-31') >= statements.part_end
        )
        """,
        "select count(*) from incentives.incentive.statements",
    ),
    rows_check(
        "statements.pay_each_day_once",
        """
        select employee_id, plan_code, period_type, part_start, part_end, next_start
        from (
            select employee_id, plan_code, period_type, part_start, part_end,
                   lead(part_start) over (
                       partition by employee_id, plan_code, period_type order by part_start, part_end
                   ) as next_start
            from incentives.incentive.statements
        )
        where next_start < part_end
        """,
        "select count(*) from incentives.incentive.statements",
    ),
    rows_check(
        "statement_lines.use_the_published_results",
        """
        select lines.statement_id, lines.line_no, lines.measure_code, lines.value, results.value as published_value
        from incentives.incentive.statement_lines as lines
        inner join (
            select statement_id, period_type, period_start from incentives.incentive.statements
            anti join closed_periods using (period_type, period_start)
        ) as statements using (statement_id)
        left join marts.kpi.kpi_results as results
            on results.measure_code = lines.measure_code and results.level = lines.measured_level
            and results.entity_id = lines.measured_entity_id and results.period_type = statements.period_type
            and results.period_start = statements.period_start
        where lines.line_type = 'measure' and lines.status = 'scored' and lines.value is distinct from results.value
        """,
        "select count(*) from incentives.incentive.statement_lines",
    ),
    # Who is doubted is on hold already, and one salary without its decimal point must not stop the pay of all.
    # Complete periods only: a period that has begun pays for the days so far. After a period that paid nothing there is
    # nothing to compare with; the budget still bounds what is paid.
    rows_check(
        "statements.bases_stay_near_the_period_before",
        """
        with doubted as (
            select employee_id, period_type, period_start from incentives.incentive.holds where held_by = 'gate' and is_held
        )
        select plan_code, period_start, base, base_before from (
            select plan_code, period_start, base,
                   lag(base) over (partition by plan_code, period_type order by period_start) as base_before
            from (
                select plan_code, period_type, period_start, sum(base_amount * part_days) / nullif(sum(part_days), 0) as base
                from incentives.incentive.statements
                anti join doubted using (employee_id, period_type, period_start)
                where is_complete and base_type in ('salary_share', 'amount')
                group by plan_code, period_type, period_start
            )
        )
        where base > $threshold::decimal(18, 4) * base_before or base * $threshold::decimal(18, 4) < base_before
        """,
        "select count(*) from incentives.incentive.statements",
        has_threshold=True,
    ),
    rows_check(
        "payouts.stay_near_the_period_before",
        """
        select period_type, period_start, currency_code, paid, paid_before from (
            select *, lag(paid) over (partition by period_type, currency_code order by period_start) as paid_before,
                   max(period_start) over (partition by period_type, currency_code) as last_period
            from (
                select period_type, period_start, currency_code, avg(amount) as paid
                from incentives.incentive.payouts where is_complete and not is_held
                group by period_type, period_start, currency_code
            )
        )
        where period_start = last_period and paid_before > 0
          and (paid > $threshold::decimal(18, 4) * paid_before or paid * $threshold::decimal(18, 4) < paid_before)
        """,
        "select count(*) from incentives.incentive.payouts",
        has_threshold=True,
    ),
    rows_check(
        "payouts.equal_what_is_due",
        """
        select employee_id, period_type, period_start, statements_amount, adjustments_amount, carried_amount,
               receivable_amount, held_amount, amount
        from incentives.incentive.payouts
        where amount + held_amount
              is distinct from statements_amount + adjustments_amount + carried_amount + receivable_amount
           or amount < 0 or held_amount < 0 or receivable_amount < 0
           or (case when is_held then amount else held_amount end) <> 0
        """,
        "select count(*) from incentives.incentive.payouts",
    ),
    rows_check(
        "payouts.are_of_people_with_statements",
        """
        select payouts.employee_id, payouts.period_type, payouts.period_start, payouts.statement_count, counted.statements
        from incentives.incentive.payouts as payouts
        full join (
            select employee_id, period_type, period_start, currency_code, count(*) as statements
            from incentives.incentive.statements group by all
        ) as counted using (employee_id, period_type, period_start, currency_code)
        where coalesce(payouts.statement_count, -1) <> coalesce(counted.statements, 0)
        """,
        "select count(*) from incentives.incentive.payouts",
    ),
    # What is doubted of one payee holds that payee: the model that doubts, the holds and the payouts must agree.
    rows_check(
        "payouts.doubted_are_on_hold",
        """
        select doubts.employee_id, doubts.period_type, doubts.period_start, doubts.rule_name, doubts.observed
        from warehouse.intermediate_incentives.int_payees_doubted as doubts
        left join incentives.incentive.payouts as payouts using (employee_id, period_type, period_start)
        left join incentives.incentive.holds as holds on holds.hold_id = doubts.hold_id and holds.is_held
        where not coalesce(payouts.is_held, false) or payouts.amount <> 0 or holds.hold_id is null
        """,
        "select count(*) from incentives.incentive.payouts",
    ),
    rows_check(
        "payouts.few_are_doubted",
        """
        select period_type, period_start, payees, doubted
        from (
            select period_type, period_start, count(distinct payouts.employee_id) as payees,
                   count(distinct holds.employee_id) as doubted
            from incentives.incentive.payouts as payouts
            left join (
                select employee_id, period_type, period_start from incentives.incentive.holds
                where held_by = 'gate' and is_held
            ) as holds using (employee_id, period_type, period_start)
            group by period_type, period_start
        )
        where doubted > 1 and doubted > $threshold::decimal(18, 4) * payees
        """,
        "select count(*) from incentives.incentive.payouts",
        has_threshold=True,
    ),
)
