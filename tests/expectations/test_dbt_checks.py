"""What dbt says of a test counts as passed only where it ran and found nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from expectations.checks import CheckResult, Scope, decide
from expectations.dbt_checks import dbt_check_results, required_dbt_checks
from expectations.gate import gate_check_names
from orchestration import night
from orchestration.defs import quality
from orchestration.defs.company import NightResource
from orchestration.settings import PROJECT_DIR
from orchestration.transform import NodeResult
from tests.conftest import copy_company

TEST = "test.customer_scorecard.assert_it_holds"


def outcome(status: str, failures: int = 0, kind: str = "test") -> NodeResult:
    return NodeResult(TEST, "assert_it_holds", kind, status, failures, "", ())


@pytest.mark.parametrize("kind", ["test", "unit_test"])
@pytest.mark.parametrize(
    ("status", "failures"),
    [("fail", 3), ("warn", 3), ("error", 0), ("runtime error", 0), ("skipped", 0), ("no-op", 0), ("pass", 3)],
)
def test_a_test_that_warns_was_skipped_or_let_rows_pass_has_not_passed(kind: str, status: str, failures: int) -> None:
    (result,) = dbt_check_results([outcome(status, failures, kind)], "marts")
    assert not result.passed
    assert decide({TEST}, [result]) == [f"{TEST}: {failures} rows at fault"]


def test_a_test_that_found_nothing_has_passed() -> None:
    assert decide({TEST}, dbt_check_results([outcome("pass")], "marts")) == []


@pytest.mark.parametrize("kind", ["model", "seed"])
def test_what_was_not_built_was_not_tested(kind: str) -> None:
    assert dbt_check_results([outcome("success", kind=kind)], "marts") == []
    (result,) = dbt_check_results([outcome("skipped", kind=kind)], "marts")
    assert not result.passed


def test_every_test_is_required_whatever_its_severity() -> None:
    def node(kind: str, *reads: str, tags: tuple[str, ...] = (), severity: str = "error") -> dict[str, object]:
        return {
            "resource_type": kind, "tags": list(tags), "depends_on": {"nodes": list(reads)},
            "config": {"severity": severity},
        }  # fmt: skip

    manifest = {
        "nodes": {
            "model.sales": node("model"),
            "model.pay": node("model", tags=("incentives",)),
            "test.sales": node("test", "model.sales", severity="warn"),
            "test.both": node("test", "model.sales", "model.pay"),
            "test.tagged": node("test", "model.sales", tags=("incentives",)),
        },
        "unit_tests": {"unit_test.pay": node("unit_test", "model.pay")},
    }
    assert required_dbt_checks(manifest, "incentives") == {
        "marts": {"test.sales"},
        "incentives": {"test.both", "test.tagged", "unit_test.pay"},
    }


def test_a_changed_test_is_changed_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night over the same extracts runs again, instead of finding that the release in place has passed already."""
    for name in night._CODE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (PROJECT_DIR / name).is_dir() else shutil.copy
        copy(PROJECT_DIR / name, tmp_path / name)
    monkeypatch.setattr(night, "PROJECT_DIR", tmp_path)
    before = night.code_version.__wrapped__()
    (path,) = tmp_path.rglob("assert_payouts_are_the_sum_of_statements.sql")
    path.unlink()
    assert night.code_version.__wrapped__() != before


@pytest.mark.parametrize(("scope", "number"), [("marts", 0), ("incentives", 1)])
def test_every_check_of_the_gate_blocks_and_a_failure_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: Scope, number: int
) -> None:
    def results(*_: object) -> list[CheckResult]:
        return [
            CheckResult(name, scope, "t", "rule", 1, 5, 1, "5", None, False, "1 at fault")
            for name in gate_check_names(scope)
        ]

    monkeypatch.setenv("SCORECARD_COMPANY", str(copy_company(PROJECT_DIR, tmp_path / "company").folder))
    monkeypatch.setattr(quality, "audit", results)
    _, checks = quality.build_quality_assets([], [])
    gate = checks[number]
    assert len(list(gate.check_specs)) == len(gate_check_names(scope))
    assert all(spec.blocking for spec in gate.check_specs)
    said = list(gate(night=NightResource()))
    assert len(said) == len(gate_check_names(scope))
    assert {(one.passed, one.severity) for one in said} == {(False, dg.AssetCheckSeverity.ERROR)}
