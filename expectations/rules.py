"""Gate rules: SQL over the candidate's tables that answers with one row (checked, failed, observed)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from expectations.checks import CheckResult, Scope


@dataclass(frozen=True)
class Rule:
    """One rule.

    ``sql`` selects ``checked`` (rows looked at), ``failed`` (rows or facts at fault) and ``observed`` (the number that
    decides). It may read the attached databases ``marts`` (the candidate), ``warehouse``, ``incentives`` (the
    candidate's, in rules of that scope) and ``previous`` (the release in place; empty tables before the first). Where
    ``has_threshold``, ``$threshold`` is the row of the seed ``gate_thresholds`` with the rule's name. ``rows_sql`` selects
    the rows at fault, for whoever has to repair them; it runs only when the rule has failed and never decides anything.
    """

    name: str
    sql: str
    has_threshold: bool = False
    version: int = 1
    rows_sql: str | None = None

    @property
    def table_name(self) -> str:
        """The audited table: rules are named ``<table>.<what must hold>``."""
        return self.name.split(".")[0]


ROWS_SHOWN = 200


@dataclass(frozen=True)
class FailingRows:
    """The first rows that a failed rule found: who and what, for the owner of the warehouse only."""

    rule_name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def rows_check(name: str, rows_sql: str, checked_sql: str, *, has_threshold: bool = False, version: int = 1) -> Rule:
    """A rule whose verdict is the rows at fault themselves: none may be there. ``checked_sql`` counts what was looked at."""
    sql = f"""
        select ({checked_sql}) as checked, count(*) as failed, count(*) as observed from ({rows_sql}) as faults
    """
    return Rule(name, sql, has_threshold, version, rows_sql)


def failing_rows(
    connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], results: Sequence[CheckResult]
) -> list[FailingRows]:
    """The rows behind each failed rule that can show them."""
    shown = []
    failed = {result.name: result for result in results if not result.passed and result.failed}
    for rule in rules:
        if rule.name not in failed or rule.rows_sql is None:
            continue
        values = {"threshold": failed[rule.name].threshold} if rule.has_threshold else None
        found = connection.execute(f"select * from ({rule.rows_sql}) as faults limit {ROWS_SHOWN}", values)
        columns = tuple(column[0] for column in found.description)
        shown.append(FailingRows(rule.name, columns, tuple(found.fetchall())))
    return shown


def run_rule(connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> CheckResult:
    """Run one rule. Whatever goes wrong, a missing table, column or threshold included, is a failed check."""
    threshold = None
    try:
        if rule.has_threshold:
            threshold = _threshold(connection, rule.name)
            row = connection.execute(rule.sql, {"threshold": threshold}).fetchall()
        else:
            row = connection.execute(rule.sql).fetchall()
        minimum = row_minimum(connection, rule.table_name)
        if len(row) != 1 or row[0][0] is None or row[0][1] is None:
            raise ValueError("the rule did not answer with one row of numbers")
        checked, failed, observed = int(row[0][0]), int(row[0][1]), row[0][2]
    except (duckdb.Error, ValueError, LookupError) as error:
        return CheckResult(
            rule.name, scope, rule.table_name, "rule", rule.version, None, None, None, _text(threshold), False,
            f"could not be checked: {error}",
        )  # fmt: skip
    passed = failed == 0 and checked >= minimum
    message = "" if passed else f"{failed} at fault of {checked} checked"
    if checked < minimum:
        message = f"only {checked} rows to check, at least {minimum} are expected"
    return CheckResult(
        rule.name, scope, rule.table_name, "rule", rule.version, checked, failed, _text(observed), _text(threshold),
        passed, message,
    )  # fmt: skip


def row_minimum(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows that an audited table must have at least.

    Raises:
        LookupError: the seed has none, or more than one.

    """
    return int(_threshold(connection, f"{table}.minimum_rows"))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _threshold(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The threshold in force at ``as_of``.

    Raises:
        LookupError: the seed has none, or more than one.

    """
    rows = connection.execute(
        """
        select cast(thresholds.threshold as varchar)
        from warehouse.policy.gate_thresholds as thresholds
        inner join warehouse.control.night as night
            on thresholds.valid_from <= night.as_of
            and night.as_of < coalesce(thresholds.valid_to, date '9999-12-31')
        where thresholds.rule_name = ?
        """,
        [name],
    ).fetchall()
    if len(rows) != 1:
        raise LookupError(f"seeds/policy/gate_thresholds.csv has {len(rows)} rows for {name}, one is needed")
    return str(rows[0][0]).rstrip("0").rstrip(".") if "." in str(rows[0][0]) else str(rows[0][0])
