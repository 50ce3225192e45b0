"""Great Expectations suites: on the results of the rules, and on the small tables that carry scores and pay.

Rules that touch many rows run as SQL (``expectations.rules``); the suites here assert that exactly those rules ran and
found nothing, and look at scorecards, statements and payouts row by row, with amounts in integer cents because a data
frame turns decimals into floats.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from expectations.checks import CheckResult, Scope

if TYPE_CHECKING:
    import pandas as pd

SCORECARDS_QUERY = """
    select concat_ws('|', level, entity_id, period_type, period_start) as scorecard_key, level, period_type,
           cast(cast(score as decimal(28, 4)) * 10000 as bigint) as score_ten_thousandths, line_count, scored_line_count
    from marts.scorecard.scorecards
"""
STATEMENTS_QUERY = """
    select statement_id, employee_id, cast(amount * 100 as bigint) as amount_cents,
           cast(ceil(gross_amount * 100 * greatest(1, caps.cap_factor)) as bigint) as most_cents, gate_status,
           part_days - absent_days as days_worked, period_days, currency_code
    from incentives.incentive.statements as statements
    inner join (
        select plan_code, max(cap_factor) as cap_factor from warehouse.policy.incentive_plans group by plan_code
    ) as caps using (plan_code)
"""
PAYOUTS_QUERY = """
    select concat_ws('|', employee_id, period_type, period_start, currency_code) as payout_key,
           cast(amount * 100 as bigint) as amount_cents, statement_count
    from incentives.incentive.payouts
"""


def _library() -> Any:
    """Great Expectations takes seconds to import and reports usage unless told not to: here, once, and silenced."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    # The second has a level of its own.
    for name in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return great_expectations


def validate(
    frame: pd.DataFrame, name: str, expectations: Sequence[Any], scope: Scope, minimum_rows: int
) -> CheckResult:
    """Run one suite on one data frame. Fails closed: an empty suite, fewer rows than ``minimum_rows``, an expectation
    that raised or that gave no result are failures.
    """
    gx = _library()
    table_name = name.split(".")[0]

    def result(passed: bool, failed: int, message: str) -> CheckResult:
        return CheckResult(
            name, scope, table_name, "expectation", 1, len(frame), failed, None, None, passed, message,
        )  # fmt: skip

    if not expectations:
        return result(False, 1, "the suite is empty")
    if len(frame) < minimum_rows:
        return result(False, 1, f"{len(frame)} rows to look at, at least {minimum_rows} are expected")
    if frame.empty:
        return result(True, 0, "")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    definition = (
        context.data_sources.add_pandas("candidate")
        .add_dataframe_asset(table_name)
        .add_batch_definition_whole_dataframe("all")
    )
    suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
    outcome = definition.get_batch({"dataframe": frame}).validate(suite)
    problems = [_describe(single) for single in outcome.results if not single.success or _raised(single)]
    if len(outcome.results) != len(expectations):
        problems.append(f"{len(expectations)} expectations, {len(outcome.results)} results")
    return result(not problems and bool(outcome.success), len(problems), "; ".join(problems))


def _raised(single: Any) -> bool:
    return "raised_exception': True" in str(single.exception_info)


def _describe(single: Any) -> str:
    """The expectation and how many rows broke it; never their values, which may be people and pay."""
    configuration = single.expectation_config
    column = configuration.kwargs.get("column") or configuration.kwargs.get("column_A") or ""
    count = (single.result or {}).get("unexpected_count", "")
    return f"{configuration.type} {column} {count}".strip()


def rule_results_suite(required: Sequence[str]) -> list[Any]:
    """Exactly the required rules ran, each once, each on enough rows, and none found a fault."""
    gxe = _library().expectations
    return [
        gxe.ExpectTableRowCountToEqual(value=len(required)),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="name", value_set=sorted(required)),
        gxe.ExpectColumnValuesToBeUnique(column="name"),
        gxe.ExpectColumnValuesToNotBeNull(column="checked"),
        gxe.ExpectColumnValuesToNotBeNull(column="failed"),
        gxe.ExpectColumnValuesToBeInSet(column="failed", value_set=[0]),
        gxe.ExpectColumnValuesToBeInSet(column="passed", value_set=[True]),
    ]


def scorecards_suite() -> list[Any]:
    """Scores exist once per scorecard, are never negative, and count no line twice."""
    gxe = _library().expectations
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="scorecard_key"),
        gxe.ExpectColumnValuesToBeUnique(column="scorecard_key"),
        gxe.ExpectColumnValuesToBeInSet(
            column="level", value_set=["company", "region", "store", "department", "employee"]
        ),
        gxe.ExpectColumnValuesToBeInSet(column="period_type", value_set=["month", "quarter"]),
        gxe.ExpectColumnValuesToBeBetween(column="score_ten_thousandths", min_value=0, max_value=10_000_000),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="line_count", column_B="scored_line_count", or_equal=True),
    ]


def statements_suite(currency_code: str) -> list[Any]:
    """Every statement pays at least nothing and at most its cap, for days that exist, in the company's currency."""
    gxe = _library().expectations
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="statement_id"),
        gxe.ExpectColumnValuesToBeUnique(column="statement_id"),
        gxe.ExpectColumnValuesToNotBeNull(column="employee_id"),
        gxe.ExpectColumnValuesToNotBeNull(column="amount_cents"),
        gxe.ExpectColumnValuesToBeBetween(column="amount_cents", min_value=0),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="most_cents", column_B="amount_cents", or_equal=True),
        gxe.ExpectColumnValuesToBeInSet(column="gate_status", value_set=["no_gate", "open", "shut", "not_measured"]),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="period_days", column_B="days_worked", or_equal=True),
        gxe.ExpectColumnValuesToBeInSet(column="currency_code", value_set=[currency_code]),
    ]


def payouts_suite() -> list[Any]:
    """One payout per person, period and currency, never negative."""
    gxe = _library().expectations
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="payout_key"),
        gxe.ExpectColumnValuesToBeUnique(column="payout_key"),
        gxe.ExpectColumnValuesToNotBeNull(column="amount_cents"),
        gxe.ExpectColumnValuesToBeBetween(column="amount_cents", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="statement_count", min_value=0),
    ]
