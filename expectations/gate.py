"""Runs the gate on a candidate: rules in SQL, then the suites. One connection, read-only to everything it audits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import duckdb

from expectations import customer_value, kpi_results, order_lines, scorecards, statements, suites, survey_answers
from expectations.checks import CheckResult, Scope
from expectations.rules import Rule, run_rule
from orchestration.sql_text import attach

RULES: dict[Scope, tuple[Rule, ...]] = {
    "marts": (*order_lines.RULES, *survey_answers.RULES, *kpi_results.RULES, *customer_value.RULES, *scorecards.RULES),
    "incentives": statements.RULES,
}
SUITES: dict[Scope, tuple[str, ...]] = {
    "marts": ("marts_rules.all_ran_and_passed", "scorecards.rows_are_sound"),
    "incentives": ("incentives_rules.all_ran_and_passed", "statements.rows_are_sound", "payouts.rows_are_sound"),
}
POLICY_CHECK = "policy.seeds_are_sound"
# Tables of the release in place that rules compare with; empty before the first release.
_COMPARED_TABLES = (
    "core.order_lines", "core.survey_answers", "kpi.kpi_results", "value.customer_value", "value.early_actions",
)  # fmt: skip


def gate_check_names(scope: Scope) -> set[str]:
    """Every check that must have run and passed before the scope is published."""
    return {rule.name for rule in RULES[scope]} | set(SUITES[scope])


@contextmanager
def _audit_connection(**files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with each file attached under its name, read-only."""
    connection = duckdb.connect()
    try:
        for name, path in files.items():
            attach(connection, path, name, "read_only")
        yield connection
    finally:
        connection.close()


def _prepare_previous(connection: duckdb.DuckDBPyConnection) -> None:
    """The compared tables of the release in place as ``previous``; an empty one where there is no release yet, or one from
    before the table existed.
    """
    connection.execute("attach ':memory:' as previous")
    for table in _COMPARED_TABLES:
        schema, name = table.split(".")
        connection.execute(f"create schema if not exists previous.{schema}")
        found = connection.execute(
            "select count(*) from duckdb_tables() "
            "where database_name = 'release_in_place' and schema_name = ? and table_name = ?",
            [schema, name],
        ).fetchall()
        if found[0][0]:
            connection.execute(f"create view previous.{table} as select * from release_in_place.{table}")
        else:
            connection.execute(f"create table previous.{table} as select * from marts.{table} limit 0")


def audit_marts(warehouse: Path, marts: Path, previous: Path | None) -> list[CheckResult]:
    """Audit the marts file of a candidate. ``previous`` is the marts file in place, ``None`` before the first."""
    files = {"warehouse": warehouse, "marts": marts} | ({"release_in_place": previous} if previous else {})
    with _audit_connection(**files) as connection:
        _prepare_previous(connection)
        results = [run_rule(connection, rule, "marts") for rule in RULES["marts"]]
        results.append(_rule_results_check(results, "marts"))
        results.append(
            _table_check(connection, "marts", "scorecards", suites.SCORECARDS_QUERY, suites.scorecards_suite())
        )
    return results


def audit_incentives(warehouse: Path, incentives: Path, currency_code: str) -> list[CheckResult]:
    """Audit the incentives file of a candidate."""
    with _audit_connection(warehouse=warehouse, incentives=incentives) as connection:
        results = [run_rule(connection, rule, "incentives") for rule in RULES["incentives"]]
        results.append(_rule_results_check(results, "incentives"))
        results.append(
            _table_check(
                connection, "incentives", "statements", suites.STATEMENTS_QUERY, suites.statements_suite(currency_code)
            )
        )
        results.append(_table_check(connection, "incentives", "payouts", suites.PAYOUTS_QUERY, suites.payouts_suite()))
    return results


def _rule_results_check(results: list[CheckResult], scope: Scope) -> CheckResult:
    import pandas as pd

    frame = pd.DataFrame([asdict(result) for result in results], columns=list(CheckResult.__dataclass_fields__))
    required = [rule.name for rule in RULES[scope]]
    return suites.validate(
        frame,
        f"{scope}_rules.all_ran_and_passed",
        suites.rule_results_suite(required),
        scope,
        minimum_rows=len(required),
    )


def _table_check(
    connection: duckdb.DuckDBPyConnection, scope: Scope, table: str, query: str, expectations: list[object]
) -> CheckResult:
    name = f"{table}.rows_are_sound"
    try:
        frame = connection.execute(query).df()
    except duckdb.Error as error:
        return CheckResult(
            name, scope, table, "expectation", 1, None, None, None, None, False, f"could not be read: {error}"
        )
    return suites.validate(frame, name, expectations, scope, minimum_rows=1)
