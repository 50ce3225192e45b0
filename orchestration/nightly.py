"""Runs the nightly Dagster job in this process, with its history in the company's Dagster home."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from expectations.checks import load_results
from orchestration.nightwatch import watched
from orchestration.publishing.seal import checks_dir
from orchestration.settings import PROJECT_DIR, Company
from orchestration.state import NightReport, candidate_is_planned, load_candidate, load_report, save_report

# One file for the events of all runs, by default there is one more for each run.
_INSTANCE_SETTINGS = """\
telemetry:
  enabled: false
event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    base_dir:
      env: DAGSTER_HOME
"""


def _prepare_home(company: Company) -> None:
    """Dagster's home with telemetry off; the variable is read by every Dagster process."""
    company.dagster_home.mkdir(parents=True, exist_ok=True)
    settings = company.dagster_home / "dagster.yaml"
    if not settings.is_file():
        settings.write_text(_INSTANCE_SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(company.dagster_home)
    os.environ["DO_NOT_TRACK"] = "1"


def dagster_command(company: Company, *arguments: str) -> list[str]:
    """The command line of a Dagster tool for this company; the working directory becomes the project's."""
    _prepare_home(company)
    os.chdir(PROJECT_DIR)
    return [str(Path(sys.executable).with_name("dagster")), *arguments]


def run_nightly(company: Company) -> NightReport:
    """Run the job and return what it did. A step that fails does not raise: the report says why. The caller holds the
    night lock.
    """
    with watched(company) as watch:
        watch.report = _run(company)
        return watch.report


def _run(company: Company) -> NightReport:
    warnings.filterwarnings("ignore", module="dagster")
    # Steps skipped because nothing is new are no news either.
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    try:
        _prepare_home(company)
        import dagster as dg

        from orchestration.defs.build import NIGHTLY_JOB, build_definitions

        job = build_definitions().resolve_job_def(NIGHTLY_JOB)
        with dg.DagsterInstance.get() as instance:
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    except Exception as error:
        # The disk may be full, the project unparsable: the night has failed like any other, and says why.
        logging.getLogger(__name__).debug("the night could not run", exc_info=True)
        return _failed(company, f"the night could not run: {type(error).__name__}: {error}")
    report = load_report(company)
    if report.outcome == "failed":
        _count_checks(company, report)
    if report.outcome == "failed" and not report.reasons:
        report.reasons = [
            f"{event.step_key}: {event.step_failure_data.error.message.strip() if event.step_failure_data.error else 'failed'}"
            for event in result.filter_events(lambda event: event.is_step_failure)
        ]
        _keep(company, report)
    return report


def _failed(company: Company, reason: str) -> NightReport:
    report = load_report(company)
    report.outcome = "failed"
    report.reasons.append(reason)
    _keep(company, report)
    return report


def _keep(company: Company, report: NightReport) -> None:
    """Whoever watches the night has the report even where the disk has no room for it."""
    with suppress(OSError):
        save_report(company, report)


def _count_checks(company: Company, report: NightReport) -> None:
    """Count the checks that ran before the night failed."""
    if not candidate_is_planned(company):
        return
    results = load_results(checks_dir(company, load_candidate(company).release_id))
    report.checks_passed = sum(result.passed for result in results)
    report.checks_failed = len(results) - report.checks_passed
    _keep(company, report)
