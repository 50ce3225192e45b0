"""Gate rules of ``incentive.statements``, its lines and payouts."""

from expectations.rules import Rule

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
    Rule(
        "statements.have_a_base",
        """
        select count(*) as checked, count(base_problem) as failed, count(base_problem) as observed
        from incentives.incentive.statements
        """,
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
    Rule(
        "statements.pay_no_more_than_the_budget_factor",
        """
        select count(*) as checked,
               case when sum(amount) > $threshold::decimal(18, 4) * sum(gross_amount) then 1 else 0 end as failed,
               sum(amount) / nullif(sum(gross_amount), 0) as observed
        from incentives.incentive.statements
        """,
        has_threshold=True,
    ),
)
