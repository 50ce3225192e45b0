"""A rule or suite that could not look counts as failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from expectations import gate, suites
from expectations.checks import CheckResult, decide
from expectations.rules import Rule, run_rule


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("create schema warehouse.policy")
        connection.execute("create schema warehouse.control")
        connection.execute("create table warehouse.control.night as select date '2026-01-31' as as_of")
        connection.execute(
            "create table warehouse.policy.gate_thresholds as select * from (values "
            "('facts.minimum_rows', 2.0::decimal(18,4), date '2025-01-01', null::date), "
            "('facts.is_small', 10.0::decimal(18,4), date '2025-01-01', date '2026-01-01'), "
            "('facts.is_small', 20.0::decimal(18,4), date '2026-01-01', null::date)"
            ") as t(rule_name, threshold, valid_from, valid_to)"
        )
        yield connection


def rule(sql: str, name: str = "facts.hold", has_threshold: bool = False) -> Rule:
    return Rule(name, sql, has_threshold)


def test_a_rule_that_finds_nothing_passes(connection: duckdb.DuckDBPyConnection) -> None:
    assert run_rule(connection, rule("select 5 as checked, 0 as failed, 5 as observed"), "marts").passed


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 5, 1, 5", "1 at fault"),
        ("select 1, 0, 1", "only 1 rows"),
        ("select 0, 0, 0", "only 0 rows"),
        ("select 5, null, 5", "could not be checked"),
        ("select 5, 0, 5 where false", "could not be checked"),
        ("select 5, 0, 5 union all select 5, 0, 5", "could not be checked"),
        ("select count(*), 0, 0 from marts.core.gone", "could not be checked"),
    ],
)
def test_a_rule_that_finds_a_fault_or_cannot_look_fails(
    connection: duckdb.DuckDBPyConnection, sql: str, message: str
) -> None:
    result = run_rule(connection, rule(sql), "marts")
    assert not result.passed
    assert message in result.message


def test_the_threshold_in_force_is_used(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "select 5, case when 15 > $threshold::decimal(18, 4) then 1 else 0 end, 15"
    result = run_rule(connection, rule(sql, "facts.is_small", True), "marts")
    assert (result.passed, result.threshold) == (True, "20")


def test_a_rule_without_its_threshold_fails(connection: duckdb.DuckDBPyConnection) -> None:
    result = run_rule(connection, rule("select 5, 0, $threshold", "facts.unknown", True), "marts")
    assert not result.passed
    assert "0 rows for facts.unknown" in result.message


def test_an_empty_suite_fails() -> None:
    assert not suites.validate(pd.DataFrame({"a": [1]}), "t.rows", [], "marts", 1).passed


def test_an_empty_table_fails() -> None:
    frame = pd.DataFrame({"payout_key": [], "amount_cents": [], "statement_count": []})
    assert not suites.validate(frame, "payouts.rows", suites.payouts_suite(), "incentives", 1).passed


def payouts(**columns: list[object]) -> pd.DataFrame:
    good: dict[str, list[object]] = {"payout_key": ["a", "b"], "amount_cents": [0, 100], "statement_count": [1, 2]}
    return pd.DataFrame(good | columns)


def test_sound_payouts_pass() -> None:
    assert suites.validate(payouts(), "payouts.rows", suites.payouts_suite(), "incentives", 1).passed


@pytest.mark.parametrize(
    "columns",
    [
        {"amount_cents": [-1, 100]},
        {"amount_cents": [None, 100]},
        {"payout_key": ["a", "a"]},
        {"payout_key": ["a", None]},
        {"statement_count": [-1, 1]},
    ],
)
def test_unsound_payouts_fail(columns: dict[str, list[object]]) -> None:
    assert not suites.validate(payouts(**columns), "payouts.rows", suites.payouts_suite(), "incentives", 1).passed


def test_an_expectation_that_raises_fails() -> None:
    frame = payouts().drop(columns="amount_cents")
    assert not suites.validate(frame, "payouts.rows", suites.payouts_suite(), "incentives", 1).passed


def test_a_required_check_that_did_not_run_is_a_reason() -> None:
    assert decide({"a"}, []) == ["a: did not run"]
    assert decide(set(), []) != []


@pytest.mark.parametrize(
    "fault", ["none ran", "one is missing", "one ran twice", "one failed", "one looked at nothing"]
)
def test_the_suite_on_the_rules_results_fails_unless_each_rule_ran_once_and_passed(fault: str) -> None:
    results = [
        CheckResult(rule.name, "incentives", rule.table_name, "rule", 1, 5, 0, "5", None, True, "")
        for rule in gate.RULES["incentives"]
    ]
    assert gate.rule_results_check(results, "incentives").passed
    broken = {
        "none ran": [],
        "one is missing": results[1:],
        "one ran twice": [*results[1:], results[1]],
        "one failed": [replace(results[0], failed=1, passed=False), *results[1:]],
        "one looked at nothing": [replace(results[0], checked=None), *results[1:]],
    }[fault]
    assert not gate.rule_results_check(broken, "incentives").passed
