"""Runs the gate on a candidate: rules in SQL, then the suites. One connection, read-only to everything it audits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

from expectations import (
    customer_value,
    feedback_cases,
    journeys,
    kpi_results,
    order_lines,
    scorecards,
    sources,
    statements,
    suites,
    survey_answers,
)
from expectations.checks import CheckResult, Scope
from expectations.dbt_checks import run_compiled_test
from expectations.rules import FailingRows, Rule, failing_rows, row_minimum, run_rule
from orchestration.erasure.previous import renamed_relation
from orchestration.erasure.register import NOBODY_ERASED, Erasures
from orchestration.pay_file import attach_file
from orchestration.sql_text import attach

RULES: dict[Scope, tuple[Rule, ...]] = {
    "marts": (
        *sources.RULES,
        *order_lines.RULES,
        *survey_answers.RULES,
        *feedback_cases.RULES,
        *kpi_results.RULES,
        *customer_value.RULES,
        *journeys.RULES,
        *scorecards.RULES,
    ),
    "incentives": (*statements.RULES, *sources.PAY_RULES, *order_lines.PAY_RULES, *survey_answers.PAY_RULES),
}
SUITES: dict[Scope, tuple[str, ...]] = {
    "marts": ("marts_rules.all_ran_and_passed", "scorecards.rows_are_sound"),
    "incentives": ("incentives_rules.all_ran_and_passed", "statements.rows_are_sound", "payouts.rows_are_sound"),
}
# Tables of the release in place that rules compare with; empty before the first release.
_COMPARED_TABLES = (
    "core.order_lines", "core.survey_answers", "kpi.kpi_results", "value.customer_value", "value.early_actions", "journey.events",
)  # fmt: skip


def gate_check_names(scope: Scope) -> set[str]:
    """Every check that must have run and passed before the scope is published."""
    return {rule.name for rule in RULES[scope]} | set(SUITES[scope])


def threshold_names() -> set[str]:
    """Every row of the seed ``gate_thresholds`` that a night needs."""
    rules = [rule for scope in RULES.values() for rule in scope]
    names = {f"{rule.table_name}.minimum_rows" for rule in rules} | {rule.name for rule in rules if rule.has_threshold}
    return names | set(statements.PAYEE_THRESHOLDS)


@contextmanager
def audited_files(
    previous: Path | None, erasures: Erasures = NOBODY_ERASED, **files: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with each file attached under its name, read-only, and the release in place as ``previous``, in which
    customers erased since have their pseudonyms.
    """
    connection = duckdb.connect()
    try:
        for name, path in files.items():
            attach_file(connection, path, name, "read_only")
        if previous is not None:
            attach(connection, previous, "release_in_place", "read_only")
        _prepare_previous(connection, erasures)
        _list_closed_periods(connection)
        yield connection
    finally:
        connection.close()


def _list_closed_periods(connection: duckdb.DuckDBPyConnection) -> None:
    """The view ``closed_periods``: what the ledger has closed stands whatever was delivered later, so rules that compare
    pay with today's data leave it out; and ``released_doubts``, what of the gate's doubts a person has released. A
    warehouse without a ledger has neither.
    """
    known = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'warehouse' and table_name = 'ledger_periods'"
    ).fetchall()[0][0]
    source = (
        "select period_type, period_start from warehouse.control.ledger_periods where state in ('closed', 'paid')"
        if known
        else "select null::varchar as period_type, null::date as period_start limit 0"
    )
    connection.execute(f"create temp view closed_periods as {source}")
    released = (
        "select hold_id from warehouse.control.ledger_holds where released_at is not null"
        if known
        else "select null::varchar as hold_id limit 0"
    )
    connection.execute(f"create temp view released_doubts as {released}")


def _prepare_previous(connection: duckdb.DuckDBPyConnection, erasures: Erasures) -> None:
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
            source = renamed_relation(connection, erasures, "release_in_place", table)
            connection.execute(f"create view previous.{table} as select * from {source}")
        else:
            connection.execute(f"create table previous.{table} as select * from marts.{table} limit 0")


@dataclass(frozen=True)
class Audit:
    """What one scope's checks came to, with the rows behind those that failed."""

    results: list[CheckResult]
    rows: list[FailingRows]


def audit_marts(warehouse: Path, marts: Path, previous: Path | None, erasures: Erasures = NOBODY_ERASED) -> Audit:
    """Audit the marts file of a candidate. ``previous`` is the marts file in place, ``None`` before the first."""
    with audited_files(previous, erasures, warehouse=warehouse, marts=marts) as connection:
        return run_marts_checks(connection)


def audit_incentives(
    warehouse: Path,
    marts: Path,
    incentives: Path,
    previous: Path | None,
    currency_code: str,
    erasures: Erasures = NOBODY_ERASED,
) -> Audit:
    """Audit the incentives file of a candidate, beside the marts it was computed with."""
    with audited_files(previous, erasures, warehouse=warehouse, marts=marts, incentives=incentives) as connection:
        return run_incentives_checks(connection, currency_code)


def run_marts_checks(connection: duckdb.DuckDBPyConnection) -> Audit:
    """Every check of the marts, on the attached databases."""
    results = [run_rule(connection, rule, "marts") for rule in RULES["marts"]]
    rows = failing_rows(connection, RULES["marts"], results)
    results.append(rule_results_check(results, "marts"))
    results.append(_table_check(connection, "marts", "scorecards", suites.SCORECARDS_QUERY, suites.scorecards_suite()))
    return Audit(results, rows)


def refresh_check_names(tables: Set[str]) -> set[str]:
    """Checks that must run again when these published tables (``schema.table``) were refreshed: the rules that read any of
    them, and the suites. All others have passed on what still stands.
    """
    return {rule.name for rule in _rules_reading(tables)} | set(SUITES["marts"])


def _rules_reading(tables: Set[str]) -> list[Rule]:
    return [rule for rule in RULES["marts"] if set(re.findall(r"\bmarts\.(\w+\.\w+)", rule.sql)) & tables]


def audit_refresh(
    warehouse: Path,
    marts: Path,
    previous: Path | None,
    tables: Set[str],
    tests: Mapping[str, Path],
    by_rule: Mapping[str, str],
    standing: Sequence[CheckResult],
) -> Audit:
    """Audit the marts file of a refresh within the day: the checks of ``refresh_check_names``, and dbt's ``tests``, by the
    files with their SQL, and those that ask what a rule asks, ``by_rule``. ``standing`` are the results of the night, of
    which those of the other rules still hold.
    """
    with audited_files(previous, warehouse=warehouse, marts=marts) as connection:
        connection.execute("use warehouse")
        tested = [run_compiled_test(connection, unique_id, path) for unique_id, path in sorted(tests.items())]
        connection.execute("use memory")
        rules = _rules_reading(tables)
        results = [run_rule(connection, rule, "marts") for rule in rules]
        rows = failing_rows(connection, rules, results)
        again = {result.name: result for result in results}
        tested += [replace(again[rule], name=unique_id, kind="dbt_test") for unique_id, rule in sorted(by_rule.items())]
        night = [
            result
            for result in standing
            if result.scope == "marts" and result.kind == "rule" and result.name not in again
        ]
        results.append(rule_results_check([*results, *night], "marts"))
        results.append(
            _table_check(connection, "marts", "scorecards", suites.SCORECARDS_QUERY, suites.scorecards_suite())
        )
        return Audit([*tested, *results], rows)


def run_incentives_checks(connection: duckdb.DuckDBPyConnection, currency_code: str) -> Audit:
    """Every check of the incentives, on the attached databases."""
    results = [run_rule(connection, rule, "incentives") for rule in RULES["incentives"]]
    rows = failing_rows(connection, RULES["incentives"], results)
    results.append(rule_results_check(results, "incentives"))
    for table, query, suite in (
        ("statements", suites.STATEMENTS_QUERY, suites.statements_suite(currency_code)),
        ("payouts", suites.PAYOUTS_QUERY, suites.payouts_suite()),
    ):
        results.append(_table_check(connection, "incentives", table, query, suite))
    return Audit(results, rows)


def rule_results_check(results: list[CheckResult], scope: Scope) -> CheckResult:
    """The suite on the rules' own results: exactly the scope's rules ran, each once, and all passed."""
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
        # Payouts are as many or as few as the statements they sum.
        minimum_rows = row_minimum(connection, "statements" if table == "payouts" else table)
    except (duckdb.Error, LookupError) as error:
        return CheckResult(
            name, scope, table, "expectation", 1, None, None, None, None, False, f"could not be read: {error}"
        )
    return suites.validate(frame, name, expectations, scope, minimum_rows)
