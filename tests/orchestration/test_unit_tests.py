"""What a unit test of a model came to stands for the same code under the same engine, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expectations.checks import CheckResult
from orchestration import unit_tests
from orchestration.settings import PROJECT_DIR, Company
from orchestration.unit_tests import keep_results, kept_results, required_unit_tests, unit_tests_path
from tests.conftest import copy_company

A, B, DATA_TEST = "unit_test.p.a", "unit_test.p.b", "test.p.not_null"


def result(name: str, *, passed: bool = True) -> CheckResult:
    failed = None if passed else 1
    return CheckResult(name, "marts", "a", "dbt_test", 1, None, failed, None, None, passed, "" if passed else "1 row")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    company.state_dir.mkdir()
    keep_results(company, [result(A), result(B), result(DATA_TEST)], {A, B})
    return company


def test_passed_unit_tests_stand_and_say_when_they_ran(company: Company) -> None:
    kept = kept_results(company, {A, B})
    assert {(one.name, one.passed) for one in kept} == {(A, True), (B, True)}
    assert all(one.observed is not None and one.observed.startswith("ran on 20") for one in kept)
    assert [one.name for one in kept_results(company, {A})] == [A]


def test_both_scopes_are_kept_side_by_side(company: Company) -> None:
    keep_results(company, [result("unit_test.p.pay")], {"unit_test.p.pay"})
    assert len(kept_results(company, {A, B, "unit_test.p.pay"})) == 3


def test_all_run_again_when_one_is_missing(company: Company) -> None:
    assert kept_results(company, {A, B, "unit_test.p.new"}) == []


def test_a_unit_test_that_failed_is_not_kept_and_a_data_test_never_is(company: Company) -> None:
    unit_tests_path(company).unlink()
    keep_results(company, [result(A, passed=False), result(B), result(DATA_TEST)], {A, B})
    assert kept_results(company, {A, B}) == []
    assert [one.name for one in kept_results(company, {B})] == [B]
    assert kept_results(company, {DATA_TEST}) == []


@pytest.mark.parametrize("spoiled", ["", "{", "[]", '{"proves": 1}', "\0" * 40])
def test_a_spoiled_file_is_no_proof_and_is_written_anew(company: Company, spoiled: str) -> None:
    unit_tests_path(company).write_text(spoiled, encoding="utf-8")
    assert kept_results(company, {A}) == []
    keep_results(company, [result(A)], {A})
    assert [one.name for one in kept_results(company, {A})] == [A]


def test_a_kept_result_that_is_none_proves_nothing(company: Company) -> None:
    text = unit_tests_path(company).read_text(encoding="utf-8")
    unit_tests_path(company).write_text(text.replace('"passed"', '"past"'), encoding="utf-8")
    assert kept_results(company, {A}) == []


def test_other_code_another_engine_or_other_settings_run_them_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_results(replace(company, time_zone="Europe/Berlin"), {A}) == []
    assert kept_results(replace(company, currency_code="EUR"), {A}) == []
    with monkeypatch.context() as patched:
        patched.setattr(unit_tests, "_engine", lambda: ["duckdb 0.0"])
        assert kept_results(company, {A}) == []
    with monkeypatch.context() as patched:
        patched.setattr(unit_tests, "code_version", lambda: "0")
        assert kept_results(company, {A}) == []
        keep_results(company, [result(A)], {A})
        assert kept_results(company, {A, B}) == []
    assert kept_results(company, {A}) == []


def test_unit_tests_are_required_by_what_their_model_stops() -> None:
    nodes = {"model.p.pay": {"tags": ["incentives"], "resource_type": "model"}}
    of_pay = {"resource_type": "unit_test", "depends_on": {"nodes": ["model.p.pay"]}}
    of_marts = {"resource_type": "unit_test", "depends_on": {"nodes": ["model.p.csat"]}}
    manifest = {"nodes": nodes, "unit_tests": {A: of_pay, B: of_marts}}
    assert required_unit_tests(manifest, "incentives") == {A}
    assert required_unit_tests(manifest, "marts") == {B}
