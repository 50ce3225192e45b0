"""One refresh, from the release in place to the next."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from pathlib import Path

import duckdb

from expectations.checks import CheckResult, Scope, save_results
from expectations.gate import audit_refresh, gate_check_names, refresh_check_names
from expectations.policy import policy_check_names
from orchestration.alerts import checks_named, send_alert
from orchestration.apart import ProcessDied, SeparateProcess
from orchestration.erasure.erase import texts_left_over
from orchestration.landing import LandingError, land
from orchestration.ledger.chain import Head
from orchestration.ledger.errors import LedgerError
from orchestration.night import Night, code_version, hash_policy, new_candidate
from orchestration.progress import say
from orchestration.publishing.candidate import (
    Candidate,
    begin_refreshed_marts,
    discard_candidates,
    write_refreshed_marts,
)
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
from orchestration.refreshing.day import copy_warehouse, day_company, is_wanted, write_control
from orchestration.refreshing.plan import REFRESHED_TABLES, RefreshPlan, refresh_plan
from orchestration.refreshing.report import RefreshReport, Stopwatch, load_refresh_report, save_refresh_report
from orchestration.settings import Company
from orchestration.state import load_report
from orchestration.transform import TransformError, build, parsed_models


class RefreshRefused(Exception):
    """Nothing was published; the message says why. The release in place stays."""


@dataclass(frozen=True)
class _Base:
    """The night that the release in place is of."""

    release: Release
    night_release_id: str
    as_of: date
    reasons: list[str]
    results: list[CheckResult]


def refresh(company: Company) -> RefreshReport:
    """Land what the survey delivered since, rebuild, check and publish. The caller holds the night lock.

    Raises:
        RefreshRefused: nothing was published.

    """
    report, before = RefreshReport(), load_refresh_report(company)
    try:
        _refresh(company, report)
    except (
        RefreshRefused, PublishRefused, TransformError, LandingError, LedgerError, ProcessDied, OSError, duckdb.Error
    ) as error:  # fmt: skip
        report.reasons = report.reasons or str(error).splitlines()
        if before is None or before.outcome != "refused":
            send_alert(company, "warning", f"a refresh within the day was refused{checks_named(report.reasons)}")
        with suppress(OSError):
            save_refresh_report(company, report)
        raise RefreshRefused(str(error)) from error
    save_refresh_report(company, report)
    return report


def warm_up(company: Company) -> None:
    """Copy the warehouse of a new night and build once what a refresh builds, for whoever waits for answers: the first of the
    day wait neither for the copy nor for all that is read when it is first used. What is amiss is said by the refresh. The
    caller holds the night lock.
    """
    day = day_company(company)
    marker = _copy_marker(day)
    _import_expectations()
    with suppress(RefreshRefused, LandingError, TransformError, OSError, duckdb.Error):
        copied = copy_warehouse(company, day, _base(company).night_release_id, marker)
        marker.unlink()
        _build(company, day, refresh_plan(company))
        write_durably(marker, json.dumps(copied) + "\n")


def _refresh(company: Company, report: RefreshReport) -> None:
    watch = Stopwatch(report)
    base = _base(company)
    report.night_release_id = base.night_release_id
    # Great Expectations takes seconds to import: beside the build, not after it.
    threading.Thread(target=_import_expectations, daemon=True).start()
    day = day_company(company)
    marker = _copy_marker(day)
    published = copy_warehouse(company, day, base.night_release_id, marker)
    watch.lap("copy")

    landing = land(company, lambda message: say("landing", message), warehouse=day.warehouse_path, wanted=is_wanted)
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
        as_of, head, roots = write_control(
            company, connection, base.as_of, base.release.marts_path, str(published["copied_at"])
        )
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
        with SeparateProcess() as writer:
            writer.begin(import_module, seal_refresh.__module__)
            copied = writer.begin(begin_refreshed_marts, day, candidate, base.release.marts_path)
            # Once more, after the copy: what was copied is what was checked.
            verified = writer.begin(verify_release, base.release)
            plan = refresh_plan(company, roots)
            _build(company, day, plan)
            watch.lap("build")
            copied()
            verified()
            write_refreshed_marts(day, candidate, REFRESHED_TABLES, writer)
            watch.lap("candidate")
            # Before the audit is through, and compared after it: what was audited is what was written.
            noted = writer.begin(record_checked_file, company, candidate.release_id, candidate.marts_path)
            results = _check(company, day, candidate, base, plan)
            noted()
            report.checks_passed = sum(result.passed for result in results)
            report.checks_failed = len(results) - report.checks_passed
            report.reasons = [f"{result.name}: {result.message}" for result in results if not result.passed]
            watch.lap("gate")
            required: dict[Scope, set[str]] = {
                "marts": set(base.release.verdict.required_marts)
                | gate_check_names("marts")
                | policy_check_names()
                | plan.tests.keys()
                | plan.by_rule.keys(),
                "incentives": set(base.release.verdict.required_incentives),
            }
            seal_refresh(company, candidate, required, base.night_release_id, base.reasons, writer)
            placed = publish(company, candidate)
    finally:
        shutil.rmtree(checks, ignore_errors=True)
        # What was not published: a copy of the release, of which readers have the original.
        discard_candidates(company)
    report.outcome, report.release_id = "refreshed", placed.release_id
    drop_old_releases(company)
    write_durably(marker, json.dumps(published | {"fingerprint": landing.content_fingerprint}) + "\n")
    watch.lap("publish")
    say("refresh", f"release {placed.release_id} is in place, {report.checks_passed} checks passed")


def _copy_marker(day: Company) -> Path:
    return day.state_dir / "copy.json"


def _import_expectations() -> None:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Not used here: imported, they are there when the gate asks for them.
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401


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


def _night(company: Company, base: _Base, as_of: date, fingerprint: str, head: Head) -> Night:
    parts = (base.night_release_id, fingerprint, as_of.isoformat(), head.entry_hash)
    inputs_hash = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Night(as_of, code_version(), hash_policy(company), inputs_hash, head)


def _build(company: Company, day: Company, plan: RefreshPlan) -> None:
    models = parsed_models(company, code_version())
    results = build(day, "--select", *plan.models, manifest=models, only_models=True)
    if failed := [result for result in results if not result.succeeded and result.status != "skipped"]:
        raise RefreshRefused("dbt: " + "; ".join(f"{result.name}: {result.message}" for result in failed))
    if missing := sorted(set(plan.models) - {result.name for result in results if result.succeeded}):
        raise RefreshRefused(f"dbt did not build {', '.join(missing)}")


def _check(company: Company, day: Company, candidate: Candidate, base: _Base, plan: RefreshPlan) -> list[CheckResult]:
    """Save all results of the release: those that ran again, and those of the night on what stands. A check that had to run
    again and did not is in neither, so that the seal finds it missing.
    """
    audited = audit_refresh(
        day.warehouse_path, candidate.marts_path, base.release.marts_path, REFRESHED_TABLES, plan.tests, plan.by_rule,
        base.results,
    )  # fmt: skip
    save_failing_rows(company, candidate.release_id, audited.rows)
    again = plan.tests.keys() | plan.by_rule.keys() | refresh_check_names(REFRESHED_TABLES)
    checks = checks_dir(company, candidate.release_id)
    save_results(checks / "again.jsonl", audited.results)
    save_results(checks / "standing.jsonl", [result for result in base.results if result.name not in again])
    return audited.results
