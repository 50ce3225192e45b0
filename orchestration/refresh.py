"""A refresh within the day: new survey answers and case outcomes reach the readers without a night.

It works on a copy of the warehouse, so that the next night is what it would have been without it. In the copy it lands
the survey's files, builds what is downstream of them and in ``REFRESHED_TABLES``, and publishes a release in which all
else, pay first of all, is as the night left it. The gate holds here too: the checks of the refreshed tables run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb

from expectations.checks import CheckResult, Scope, save_results
from expectations.dbt_checks import compiled_test_path
from expectations.gate import POLICY_CHECK, audit_refresh, gate_check_names, refresh_check_names
from orchestration.erasure.erase import texts_left_over
from orchestration.landing import LandingError, land
from orchestration.landing.inventory import FoundFile, list_files
from orchestration.ledger.chain import Head
from orchestration.ledger.errors import LedgerError
from orchestration.ledger.verify import noted_in
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.night import Night, code_version, end_of_day, hash_policy, new_candidate
from orchestration.progress import say
from orchestration.publishing.candidate import Candidate, discard_candidates, write_refreshed_marts
from orchestration.publishing.failing_rows import save_failing_rows
from orchestration.publishing.files import write_durably
from orchestration.publishing.release import (
    REFRESH_SUFFIX,
    PublishRefused,
    Release,
    current_release,
    drop_old_releases,
    publish,
    verify_release,
)
from orchestration.publishing.seal import checks_dir, record_checked_file, seal_refresh
from orchestration.settings import Company
from orchestration.state import load_report
from orchestration.transform import INCENTIVES_TAG, TransformError, build, load_manifest

REFRESHED_TABLES = frozenset({
    "core.survey_responses", "core.survey_answers", "kpi.kpi_results", "kpi.integrity_flags", "kpi.integrity_effects",
    "voice.feedback_cases", "voice.feedback_topics", "voice.response_funnel", "voice.survey_fatigue",
    "scorecard.scorecards", "scorecard.scorecard_lines", "scorecard.scorecard_domains",
    "meta.landed_files", "meta.rejected_rows",
})  # fmt: skip
_EXTRACTS = {("survey", "invitations"), ("survey", "responses"), ("survey", "answers"), ("service", "case_outcomes")}
# Downstream of the survey only because the calendar is: what customers bought does not change before the night. Journeys
# and what they say of departments are the night's too.
_LEFT_TO_THE_NIGHT = {
    "int_loyalty_counted", "int_repurchases_counted", "int_customer_values_counted", "int_periods_reopened",
}  # fmt: skip
_LEFT_FOLDERS = {"customers", "value", "journeys", "journey", "incentives", "incentive"}

Outcome = Literal["refreshed", "unchanged", "refused"]


class RefreshRefused(Exception):
    """Nothing was published; the message says why. The release in place stays."""


@dataclass
class RefreshReport:
    """What a refresh did. ``seconds`` by step, from its start to the release in place."""

    outcome: Outcome = "refused"
    release_id: str | None = None
    night_release_id: str | None = None
    as_of: str | None = None
    files_landed: int = 0
    rows_landed: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    reasons: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Base:
    """The night that the release in place is of."""

    release: Release
    night_release_id: str
    as_of: date
    reasons: list[str]
    results: list[CheckResult]


@dataclass(frozen=True)
class RefreshPlan:
    """Names of the models that dbt builds, and the tests that must pass on them, by unique id, with their SQL."""

    models: tuple[str, ...]
    tests: dict[str, Path]


class _Stopwatch:
    def __init__(self, report: RefreshReport) -> None:
        self._report, self._last = report, time.monotonic()

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self._report.seconds[step] = round(now - self._last, 2)
        self._last = now


def day_company(company: Company) -> Company:
    """The company whose warehouse is the day's copy; dbt's own files lie beside it and stay from day to day."""
    return replace(company, data_dir=company.day_dir)


def refresh(company: Company) -> RefreshReport:
    """Land what the survey delivered since, rebuild, check and publish. The caller holds the night lock.

    Raises:
        RefreshRefused: nothing was published.

    """
    report = RefreshReport()
    try:
        _refresh(company, report)
    except (
        RefreshRefused, PublishRefused, TransformError, LandingError, LedgerError, OSError, duckdb.Error
    ) as error:  # fmt: skip
        report.reasons = report.reasons or str(error).splitlines()
        with suppress(OSError):
            save_refresh_report(company, report)
        raise RefreshRefused(str(error)) from error
    save_refresh_report(company, report)
    return report


def _refresh(company: Company, report: RefreshReport) -> None:
    watch = _Stopwatch(report)
    base = _base(company)
    report.night_release_id = base.night_release_id
    # Great Expectations takes seconds to import: beside the build, not after it.
    threading.Thread(target=_import_expectations, daemon=True).start()
    day = day_company(company)
    marker = day.state_dir / "copy.json"
    published = _copy_warehouse(company, day, base, marker)
    watch.lap("copy")

    landing = land(company, lambda message: say("landing", message), warehouse=day.warehouse_path, wanted=_is_wanted)
    report.files_landed, report.rows_landed = landing.files_landed, landing.rows_landed
    for problem in landing.problems:
        say("landing", problem)
    if landing.content_fingerprint == published["fingerprint"]:
        report.outcome, report.release_id = "unchanged", base.release.release_id
        say("refresh", "no new answer and no new outcome: the release in place stands")
        return
    # From here on the copy is of no use until the refresh is through.
    marker.unlink()
    if texts_left_over(company, day.warehouse_path):
        raise RefreshRefused(
            "an answer that came earlier turns out to be of an erased customer: the next night takes it out"
        )
    with duckdb.connect(str(day.warehouse_path)) as connection:
        as_of, head, roots = _write_control(company, connection, base, str(published["copied_at"]))
    report.as_of = as_of.isoformat()
    watch.lap("landing")

    night = _night(company, base, as_of, landing.content_fingerprint, head)
    discard_candidates(company)
    candidate = new_candidate(company, night)
    candidate = replace(
        candidate,
        release_id=candidate.release_id + REFRESH_SUFFIX,
        folder=candidate.folder.with_name(candidate.folder.name + REFRESH_SUFFIX),
    )
    checks = checks_dir(company, candidate.release_id)
    try:
        plan = refresh_plan(company, roots)
        _build(day, plan)
        watch.lap("build")
        write_refreshed_marts(day, candidate, base.release.marts_path, REFRESHED_TABLES)
        watch.lap("candidate")
        results = _check(company, day, candidate, base, plan)
        report.checks_passed = sum(result.passed for result in results)
        report.checks_failed = len(results) - report.checks_passed
        report.reasons = [f"{result.name}: {result.message}" for result in results if not result.passed]
        watch.lap("gate")
        required: dict[Scope, set[str]] = {
            "marts": set(base.release.verdict.required_marts)
            | gate_check_names("marts")
            | {POLICY_CHECK}
            | plan.tests.keys(),
            "incentives": set(base.release.verdict.required_incentives),
        }
        seal_refresh(company, candidate, required, base.night_release_id, base.reasons)
        placed = publish(company, candidate)
    finally:
        shutil.rmtree(checks, ignore_errors=True)
    report.outcome, report.release_id = "refreshed", placed.release_id
    drop_old_releases(company)
    write_durably(marker, json.dumps(published | {"fingerprint": landing.content_fingerprint}) + "\n")
    watch.lap("publish")
    say("refresh", f"release {placed.release_id} is in place, {report.checks_passed} checks passed")


def _import_expectations() -> None:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401


def _is_wanted(found: FoundFile) -> bool:
    return found.folder in _EXTRACTS


def survey_signature(company: Company) -> str:
    """Changes when a survey file or a file of case outcomes comes, goes or is written to."""
    digest = hashlib.sha256()
    for found in survey_files(company):
        digest.update(f"{found.name}\0{found.size_bytes}\0{found.mtime_ns}\n".encode())
    return digest.hexdigest()


def survey_files(company: Company) -> list[FoundFile]:
    """The files that a refresh looks at, landed or not."""
    return [found for found in list_files(company.extracts_dir) if _is_wanted(found)]


def _base(company: Company) -> _Base:
    """The release in place, verified, with what its night has said; refused when the warehouse is not that night's."""
    try:
        release = current_release(company)
        if release is None:
            raise RefreshRefused("nothing is published yet: run a night first")
        verify_release(release)
    except PublishRefused as error:
        raise RefreshRefused(str(error)) from error
    names = ", ".join(CheckResult.__dataclass_fields__)
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        try:
            row = connection.execute(
                "select night_release_id, as_of, code_version, policy_hash, reasons from meta.publication"
            ).fetchall()[0]
        except duckdb.BinderException as error:
            raise RefreshRefused("the release in place is of an earlier version: wait for the night") from error
        results = [
            CheckResult(*check) for check in connection.execute(f"select {names} from meta.check_results").fetchall()
        ]
        as_of = row[1]
    if row[2] != code_version() or row[3] != hash_policy(company):
        raise RefreshRefused(
            "code or policy changed since the night: the next night applies it, and refreshes go on then"
        )
    report = load_report(company)
    if report.outcome == "failed" or report.release_id != row[0]:
        raise RefreshRefused(
            f"the warehouse is not that of release {row[0]} (the last night: {report.outcome}): wait for the next night"
        )
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        as_of = connection.execute("select as_of from control.night").fetchall()[0][0]
    return _Base(release, row[0], as_of, row[4].split("; ") if row[4] else [], results)


def _copy_warehouse(company: Company, day: Company, base: _Base, marker: Path) -> dict[str, Any]:
    """The day's copy of the night's warehouse: once a day, and again after a refresh that did not come to its end."""
    source = company.warehouse_path.stat()
    identity = [base.night_release_id, source.st_ino, source.st_size, source.st_mtime_ns]
    known = json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else {}
    if known.get("identity") == identity and day.warehouse_path.is_file():
        return dict(known)
    day.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker.unlink(missing_ok=True)
    for leftover in (day.warehouse_path, day.warehouse_path.with_name(day.warehouse_path.name + ".wal")):
        leftover.unlink(missing_ok=True)
    copied_at = datetime.now(UTC).replace(tzinfo=None)
    shutil.copyfile(company.warehouse_path, day.warehouse_path)
    os.chmod(day.warehouse_path, 0o600)
    if not day.dbt_target_dir.is_dir():
        day.dbt_target_dir.mkdir(parents=True)
    shutil.copyfile(company.dbt_target_dir / "manifest.json", day.dbt_target_dir / "manifest.json")
    fingerprint = land(company, warehouse=day.warehouse_path, wanted=lambda _: False).content_fingerprint
    known = {"identity": identity, "copied_at": copied_at.isoformat(), "fingerprint": fingerprint}
    write_durably(marker, json.dumps(known) + "\n")
    return known


def _write_control(
    company: Company, connection: duckdb.DuckDBPyConnection, base: _Base, copied_at: str
) -> tuple[date, Head, frozenset[tuple[str, str]]]:
    """Write what the models read about the moment, and which periods' scorecards stand: those that are closed, and those
    without a day of a new answer. Only the others are scored again. Returns the moment's day, the ledger's head and the
    extracts that have something new since the night: all of them when the day is another.
    """
    zone = ZoneInfo(company.time_zone)
    now = datetime.now(UTC)
    days = [
        row[0]
        for row in connection.execute(
            """
            with new_files as (select file_id from landing.files where landed_at >= cast($copied_at as timestamp)),
            new_responses as (
                select response_id from raw.survey__responses where _file_id in (select file_id from new_files)
                union
                select response_id from raw.survey__answers where _file_id in (select file_id from new_files)
            )
            select distinct cast(timezone($zone, timezone('UTC', submitted_at)) as date) as day
            from raw.survey__responses
            where response_id in (select response_id from new_responses)
              and submitted_at <= _delivered_at + interval 1 day
            """,
            {"zone": company.time_zone, "copied_at": copied_at},
        ).fetchall()
    ]
    if company.environment.as_of_source == "clock":
        as_of = max(base.as_of, now.astimezone(zone).date())
        known_until = min(now.replace(tzinfo=None), end_of_day(company, as_of))
    else:
        as_of = max([base.as_of, *days])
        known_until = end_of_day(company, as_of)
    connection.execute(
        "create or replace table control.night as select cast(? as date) as as_of, cast(? as timestamp) as known_until, "
        "cast(? as varchar) as code_version",
        [as_of, known_until, code_version()],
    )
    head = write_ledger_tables(company, connection, noted_in(base.release.marts_path))
    connection.execute(
        "create or replace temp table touched as select unnest(cast($days as date[])) as day", {"days": [*days, as_of]}
    )
    standing = """
        select period_type, period_start from intermediate.int_periods_listed as periods
        where period_type in ('month', 'quarter') and not exists (
            select 1 from touched where touched.day >= periods.period_start and touched.day < periods.period_end
        )
    """
    connection.execute(
        f"update control.ledger_periods set state = 'closed' where (period_type, period_start) in ({standing})"
    )
    connection.execute(
        f"insert into control.ledger_periods (period_type, period_start, state) select period_type, period_start, 'closed' "
        f"from ({standing}) anti join control.ledger_periods using (period_type, period_start)"
    )
    landed = connection.execute(
        "select distinct source_name, extract_name from landing.files where landed_at >= cast(? as timestamp)",
        [copied_at],
    ).fetchall()
    changed = frozenset(_EXTRACTS) & {(source, extract) for source, extract in landed}
    return as_of, head, changed if as_of == base.as_of else frozenset(_EXTRACTS)


def _night(company: Company, base: _Base, as_of: date, fingerprint: str, head: Head) -> Night:
    parts = (base.night_release_id, fingerprint, as_of.isoformat(), head.entry_hash)
    inputs_hash = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Night(as_of, code_version(), hash_policy(company), inputs_hash, head)


def refresh_plan(company: Company, changed: Set[tuple[str, str]] = frozenset(_EXTRACTS)) -> RefreshPlan:
    """The tables between the changed extracts and ``REFRESHED_TABLES``, and every data test that reads any of them or of
    the views on them. Unit tests look at the code, which is the night's. Cases are judged anew whatever has changed.
    """
    manifest = json.loads((company.dbt_target_dir / "manifest.json").read_text(encoding="utf-8"))
    nodes = manifest["nodes"]
    parents = {key: node["depends_on"].get("nodes", []) for key, node in nodes.items()}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for key, node_parents in parents.items():
        for parent in node_parents:
            children[parent].append(key)
    roots = [key for key, source in manifest["sources"].items() if (source["source_name"], source["name"]) in _EXTRACTS]
    ends = [
        key for key, node in nodes.items()
        if node["resource_type"] == "model" and f"{node['schema']}.{node['alias']}" in REFRESHED_TABLES
    ]  # fmt: skip
    cases = {key for key in ends if nodes[key]["name"] == "feedback_cases"}
    between = (_reach(roots, children) & (_reach(ends, parents) | set(ends))) | cases
    models = {
        key
        for key in between
        if nodes[key]["resource_type"] == "model"
        and INCENTIVES_TAG not in nodes[key]["tags"]
        and nodes[key]["name"] not in _LEFT_TO_THE_NIGHT
        and not _LEFT_FOLDERS & set(nodes[key]["fqn"])
    }
    tagged = {key for key, node in nodes.items() if INCENTIVES_TAG in node["tags"]}
    tests = {
        key
        for key, node in nodes.items()
        if node["resource_type"] == "test" and models & set(parents[key]) and not tagged & {key, *parents[key]}
    }
    tables = sorted(nodes[key]["name"] for key in models if nodes[key]["config"]["materialized"] != "view")
    return RefreshPlan(tuple(tables), {key: compiled_test_path(nodes[key], company.dbt_target_dir) for key in tests})


def _reach(starts: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for key in edges.get(waiting.pop(), ()):
            if key not in found:
                found.add(key)
                waiting.append(key)
    return found


@lru_cache(maxsize=1)
def _project(day: Company, code: str) -> Any:
    """The project of this code, parsed once in a process that refreshes again and again."""
    return load_manifest(day)


def _build(day: Company, plan: RefreshPlan) -> None:
    results = build(day, "--resource-type", "model", "--select", *plan.models, manifest=_project(day, code_version()))
    if failed := [result for result in results if not result.succeeded and result.status != "skipped"]:
        raise RefreshRefused("dbt: " + "; ".join(f"{result.name}: {result.message}" for result in failed))
    if missing := sorted(set(plan.models) - {result.name for result in results if result.succeeded}):
        raise RefreshRefused(f"dbt did not build {', '.join(missing)}")


def _check(company: Company, day: Company, candidate: Candidate, base: _Base, plan: RefreshPlan) -> list[CheckResult]:
    """Save all results of the release: those that ran again, and those of the night on what stands. A check that had to run
    again and did not is in neither, so that the seal finds it missing.
    """
    audited = audit_refresh(
        day.warehouse_path, candidate.marts_path, base.release.marts_path, REFRESHED_TABLES, plan.tests, base.results
    )
    save_failing_rows(company, candidate.release_id, audited.rows)
    again = plan.tests.keys() | refresh_check_names(REFRESHED_TABLES)
    checks = checks_dir(company, candidate.release_id)
    save_results(checks / "again.jsonl", audited.results)
    save_results(checks / "standing.jsonl", [result for result in base.results if result.name not in again])
    record_checked_file(company, candidate.release_id, candidate.marts_path)
    return audited.results


def save_refresh_report(company: Company, report: RefreshReport) -> None:
    """Keep the report of the last refresh."""
    company.state_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(report), ensure_ascii=False, indent=1)
    write_durably(company.state_dir / "last_refresh.json", text + "\n")


def load_refresh_report(company: Company) -> RefreshReport | None:
    """The report of the last refresh; ``None`` before the first."""
    path = company.state_dir / "last_refresh.json"
    return RefreshReport(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
