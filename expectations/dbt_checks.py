"""dbt's tests as checks of the gate: which must have run, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import duckdb

from expectations.checks import CheckResult, Scope

_TEST_KINDS = ("test", "unit_test")


class NodeOutcome(Protocol):
    """What the gate needs of a dbt result."""

    @property
    def unique_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def failures(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def succeeded(self) -> bool: ...


def required_dbt_checks(manifest: dict[str, Any], tag: str) -> dict[Scope, set[str]]:
    """Unique ids of all tests by what their failure stops: a test that reads any model tagged ``tag`` belongs to the
    incentives, every other to the marts.
    """
    tagged = {unique_id for unique_id, node in manifest["nodes"].items() if tag in node["tags"]}
    required: dict[Scope, set[str]] = {"marts": set(), "incentives": set()}
    tests = {**manifest["nodes"], **manifest["unit_tests"]}
    for unique_id, node in tests.items():
        if node["resource_type"] in _TEST_KINDS:
            touches = unique_id in tagged or bool(tagged & set(node["depends_on"]["nodes"]))
            required["incentives" if touches else "marts"].add(unique_id)
    return required


def dbt_check_results(outcomes: Iterable[NodeOutcome], scope: Scope) -> list[CheckResult]:
    """One check per test; a seed or model that failed is one too, since what was not built was not tested."""
    results = []
    for outcome in outcomes:
        is_test = outcome.kind in _TEST_KINDS
        if not is_test and outcome.succeeded:
            continue
        # dbt lets a test pass over rows at fault where its limits (``warn_if``) say so.
        passed = outcome.succeeded and not outcome.failures
        table = outcome.unique_id.split(".")[2] if len(outcome.unique_id.split(".")) > 2 else outcome.unique_id
        message = "" if passed else (outcome.message or f"{outcome.failures} rows at fault")
        results.append(
            CheckResult(
                outcome.unique_id, scope, table, "dbt_test", 1, None, outcome.failures, None, None, passed, message,
            )
        )  # fmt: skip
    return results


def compiled_test_path(node: dict[str, Any], target_dir: Path) -> Path:
    """Where dbt left the SQL of a data test when it ran it last: below the file that declares it, or in its own place."""
    declared = target_dir / "compiled" / str(node["package_name"]) / str(node["original_file_path"])
    return declared if declared.suffix == ".sql" else declared / str(node["path"])


def run_compiled_test(connection: duckdb.DuckDBPyConnection, unique_id: str, path: Path) -> CheckResult:
    """Run a data test by the SQL that the night ran, which takes a hundredth of what a dbt node takes. Fails
    closed: no SQL, or SQL that does not run, is a test that failed.
    """
    table = unique_id.split(".")[2]
    try:
        query = path.read_text(encoding="utf-8")
        failed = connection.execute(f"select count(*) from ({query}\n) as faults").fetchall()[0][0]
    except (OSError, duckdb.Error) as error:
        message = f"could not be run: {error}"
        return CheckResult(unique_id, "marts", table, "dbt_test", 1, None, None, None, None, False, message)
    message = f"{failed} rows at fault" if failed else ""
    return CheckResult(unique_id, "marts", table, "dbt_test", 1, None, failed, None, None, not failed, message)
