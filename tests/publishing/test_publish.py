"""Nothing is published without a green verdict for exactly these bytes; every way around it is tried."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from expectations import gate
from expectations.checks import CheckResult, Scope, save_results
from expectations.gate import gate_check_names
from orchestration.defs import publish as defs_publish
from orchestration.defs.publish import publish_night
from orchestration.publishing.candidate import Candidate, candidates_dir
from orchestration.publishing.history import leave_damaged
from orchestration.publishing.release import (
    VERDICT_FILE,
    PublishRefused,
    Release,
    current_release,
    drop_old_releases,
    publish,
    verify_release,
)
from orchestration.publishing.seal import CHECK_RESULTS, checks_dir, record_checked_file, seal
from orchestration.settings import PROJECT_DIR, Company
from orchestration.state import load_report, save_candidate
from tests.conftest import WRITER, copy_company

REQUIRED: dict[Scope, set[str]] = {"marts": gate_check_names("marts"), "incentives": gate_check_names("incentives")}


def green(scope: Scope) -> list[CheckResult]:
    return [CheckResult(n, scope, "t", "rule", 1, 1, 0, "1", None, True, "") for n in sorted(gate_check_names(scope))]


def candidate_of(company: Company, release_id: str) -> Candidate:
    candidate = Candidate(
        release_id,
        candidates_dir(company) / release_id,
        date(2026, 1, 1),
        "run",
        "code",
        "policy",
        "inputs",
        datetime(2026, 1, 2),
    )
    candidate.folder.mkdir(parents=True)
    for path in (candidate.marts_path, candidate.incentives_path):
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as r (storage_version 'v1.4.0')")
            connection.execute(f"create table r.facts as select '{release_id}' as who")
            connection.execute("detach r")
        record_checked_file(company, release_id, path)
    return candidate


def facts(path: Path) -> list[tuple[str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("select who from facts").fetchall()


def check(company: Company, candidate: Candidate, marts: list[CheckResult], incentives: list[CheckResult]) -> None:
    folder = checks_dir(company, candidate.release_id)
    save_results(folder / "marts.jsonl", marts)
    save_results(folder / "incentives.jsonl", incentives)


@pytest.fixture
def company(tmp_path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def sealed(company: Company, release_id: str) -> Candidate:
    candidate = candidate_of(company, release_id)
    check(company, candidate, green("marts"), green("incentives"))
    seal(company, candidate, REQUIRED, WRITER)
    return candidate


def test_a_green_candidate_is_published_and_verifies(company: Company) -> None:
    publish(company, sealed(company, "a"))
    release = current_release(company)
    assert release is not None
    assert release.release_id == "a"
    assert release.verdict.incentives_are_new
    verify_release(release)


@pytest.mark.parametrize("fault", ["failed", "missing", "twice"])
def test_marts_that_are_not_green_are_refused(company: Company, fault: str) -> None:
    candidate, results = candidate_of(company, "a"), green("marts")
    if fault == "failed":
        results[0] = replace(results[0], passed=False, failed=3, message="3 at fault")
    elif fault == "missing":
        results = results[1:]
    else:
        results.append(results[0])
    check(company, candidate, results, green("incentives"))
    with pytest.raises(PublishRefused, match=r"not green"):
        seal(company, candidate, REQUIRED, WRITER)
    assert current_release(company) is None


def test_an_emptied_set_of_checks_is_refused(company: Company) -> None:
    candidate = candidate_of(company, "a")
    check(company, candidate, [], [])
    with pytest.raises(PublishRefused, match="emptied"):
        seal(company, candidate, {"marts": set(), "incentives": set()}, WRITER)


@pytest.mark.parametrize("fault", ["failed", "missing"])
def test_incentives_that_are_not_green_leave_the_last_good_ones(company: Company, fault: str) -> None:
    publish(company, sealed(company, "a"))
    good = current_release(company)
    assert good is not None
    candidate, results = candidate_of(company, "b"), green("incentives")
    results = results[1:] if fault == "missing" else [replace(results[0], passed=False, message="no"), *results[1:]]
    check(company, candidate, green("marts"), results)
    seal(company, candidate, REQUIRED, WRITER)
    release = publish(company, candidate)
    assert release.release_id == "b"
    assert release.verdict.incentives_release_id == "a"
    assert facts(release.incentives_path) == facts(good.incentives_path) == [("a",)]
    for path in (release.marts_path, release.incentives_path):
        with duckdb.connect(str(path), read_only=True) as connection:
            query = "select release_id, incentives_release_id, gate_state from meta.publication"
            assert connection.execute(query).fetchall() == [("b", "a", "incentives_held")]
    assert release.incentives_path.stat().st_mode & 0o777 == 0o600


def _damaged_release(company: Company, name: str) -> tuple[Release, Candidate]:
    """A release in place of which one file is damaged, and the candidate of a next night without pay of its own."""
    publish(company, sealed(company, "a"))
    good = current_release(company)
    assert good is not None
    _change_a_byte(good.folder / name)
    candidate = candidate_of(company, "b")
    check(company, candidate, green("marts"), [])
    return good, candidate


@pytest.mark.parametrize("name", ["marts.duckdb", "incentives.duckdb"])
def test_readers_are_led_from_a_damaged_release_to_the_newest_that_is_whole(company: Company, name: str) -> None:
    for release_id in ("a", "b", "c"):
        publish(company, sealed(company, release_id))
    assert leave_damaged(company) == ""
    releases = company.published_dir / "releases"
    _change_a_byte(releases / "b" / "marts.duckdb")
    _change_a_byte(releases / "c" / name)
    assert leave_damaged(company) == (
        f"{releases / 'c' / name}: is not the file that was checked; readers have release a again"
    )
    assert (company.published_dir / "current").resolve().name == "a"
    assert leave_damaged(company) == ""
    _change_a_byte(releases / "a" / name)
    with pytest.raises(PublishRefused, match="is not the file that was checked; there is no whole release before a"):
        leave_damaged(company)
    assert (company.published_dir / "current").resolve().name == "a"


def test_without_a_release_there_is_none_to_leave(company: Company) -> None:
    assert leave_damaged(company) == ""


def test_damaged_pay_is_not_carried_on(company: Company) -> None:
    _, candidate = _damaged_release(company, "incentives.duckdb")
    with pytest.raises(PublishRefused, match=r"incentives\.duckdb: is not the file that was checked"):
        seal(company, candidate, REQUIRED, WRITER)


def test_good_pay_is_carried_on_from_a_release_whose_marts_are_damaged(company: Company) -> None:
    good, candidate = _damaged_release(company, "marts.duckdb")
    seal(company, candidate, REQUIRED, WRITER)
    release = publish(company, candidate)
    assert release.verdict.incentives_release_id == "a"
    assert facts(release.incentives_path) == facts(good.incentives_path)


def test_a_first_night_with_red_incentives_has_no_pay_file(company: Company) -> None:
    candidate = candidate_of(company, "a")
    check(company, candidate, green("marts"), [])
    seal(company, candidate, REQUIRED, WRITER)
    release = publish(company, candidate)
    assert not release.incentives_path.exists()
    assert release.verdict.incentives_sha256 is None


def test_a_file_changed_after_its_audit_is_refused(company: Company) -> None:
    candidate = candidate_of(company, "a")
    check(company, candidate, green("marts"), green("incentives"))
    with duckdb.connect(str(candidate.marts_path)) as connection:
        connection.execute("insert into facts values ('late')")
    with pytest.raises(PublishRefused, match="changed after it was audited"):
        seal(company, candidate, REQUIRED, WRITER)


def _change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["marts.duckdb", "incentives.duckdb"])
def test_a_file_changed_after_the_verdict_is_refused(company: Company, name: str) -> None:
    candidate = sealed(company, "a")
    _change_a_byte(candidate.folder / name)
    with pytest.raises(PublishRefused, match="is not the file that was checked"):
        publish(company, candidate)
    assert current_release(company) is None


def test_a_candidate_without_a_verdict_is_refused(company: Company) -> None:
    candidate = sealed(company, "a")
    (candidate.folder / VERDICT_FILE).unlink()
    with pytest.raises(PublishRefused, match="no verdict"):
        publish(company, candidate)


def test_a_verdict_of_another_release_is_refused(company: Company) -> None:
    first, second = sealed(company, "a"), sealed(company, "b")
    (second.folder / VERDICT_FILE).write_bytes((first.folder / VERDICT_FILE).read_bytes())
    with pytest.raises(PublishRefused, match="of release a"):
        publish(company, second)


def test_a_verdict_edited_to_ask_for_less_is_refused(company: Company) -> None:
    candidate = sealed(company, "a")
    path = candidate.folder / VERDICT_FILE
    verdict = json.loads(path.read_text(encoding="utf-8"))
    verdict["required_marts"] = verdict["required_marts"][1:]
    path.write_text(json.dumps(verdict), encoding="utf-8")
    with pytest.raises(PublishRefused, match="was not required"):
        publish(company, candidate)


def test_red_pay_cannot_be_declared_new_by_editing_the_verdict(company: Company) -> None:
    publish(company, sealed(company, "a"))
    candidate = candidate_of(company, "b")
    check(company, candidate, green("marts"), green("incentives")[1:])
    seal(company, candidate, REQUIRED, WRITER)
    path = candidate.folder / VERDICT_FILE
    verdict = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(verdict | {"incentives_release_id": "b"}), encoding="utf-8")
    with pytest.raises(PublishRefused, match="incentives are not green"):
        publish(company, candidate)


def test_a_write_ahead_log_beside_a_release_is_found(company: Company) -> None:
    release = publish(company, sealed(company, "a"))
    release.marts_path.with_name("marts.duckdb.wal").write_bytes(b"stale")
    with pytest.raises(PublishRefused, match="write-ahead log"):
        verify_release(release)


def test_old_releases_go_and_the_current_one_stays(company: Company) -> None:
    for number in range(5):
        publish(company, sealed(company, f"r{number}"))
    assert drop_old_releases(replace(company, releases_kept=2)) == ["r0", "r1", "r2"]
    current = current_release(company)
    assert current is not None
    assert current.release_id == "r4"
    verify_release(current)


def test_what_pay_checks_observed_is_not_in_the_file_bi_reads(company: Company) -> None:
    release = publish(company, sealed(company, "a"))
    query = "select count(*) filter (where observed is not null) from meta.check_results where scope = 'incentives'"
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        assert connection.execute(query).fetchall() == [(0,)]
    with duckdb.connect(str(release.incentives_path), read_only=True) as connection:
        assert connection.execute(query).fetchall() == [(len(REQUIRED["incentives"]),)]


def test_check_results_are_published_with_every_field_a_check_has() -> None:
    assert list(CHECK_RESULTS) == [field.name for field in fields(CheckResult)]


def test_a_check_that_is_gone_is_said_and_refuses_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(company, sealed(company, "a"))
    gone = "order_lines.are_there_once"
    monkeypatch.setattr(gate, "RULES", {**gate.RULES, "marts": [r for r in gate.RULES["marts"] if r.name != gone]})
    required: dict[Scope, set[str]] = {**REQUIRED, "marts": REQUIRED["marts"] - {gone}}
    monkeypatch.setattr(defs_publish, "required_checks", lambda company: required)
    candidate = candidate_of(company, "b")
    save_candidate(company, candidate)
    check(company, candidate, green("marts"), green("incentives"))
    assert publish_night(company).release_id == "b"
    assert f"no longer checked: {gone}" in capsys.readouterr().err
    report = load_report(company)
    assert (report.outcome, report.checks_gone) == ("published", [gone])
    again = candidate_of(company, "c")
    save_candidate(company, again)
    check(company, again, green("marts"), green("incentives"))
    publish_night(company)
    assert load_report(company).checks_gone == []
