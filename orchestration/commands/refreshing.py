"""The command for whoever refreshes within the day without the Dagster daemon."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from orchestration.commands.common import (
    EXIT_BUSY,
    EXIT_FAILED,
    CompanyOption,
    answer,
    choose,
    console,
    stop,
    with_json,
)
from orchestration.lock import REFRESH, NightIsBusy, night_lock
from orchestration.settings import Company, load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(with_json(refresh))


def refresh(
    watch: Annotated[
        float | None,
        typer.Option(min=0.5, help="Stay, and look for new survey files every so many seconds; the fastest way."),
    ] = None,
    company: CompanyOption = None,
) -> None:
    """Bring new survey answers and case outcomes to the readers, within the day; pay stays that of the night.

    Exit codes: 0 refreshed or nothing new, 1 refused and the release in place stays, 75 a night or another refresh is
    running, or somebody keeps watch already.
    """
    choose(company)
    chosen = load_company()
    if watch is None:
        _refresh_once(chosen)
    else:
        _keep_watch(chosen, watch)


def _refresh_once(company: Company) -> None:
    try:
        with night_lock(company.lock_path, by=REFRESH):
            # A second caller must hear "busy" before anything heavy is imported.
            from orchestration.refreshing import RefreshRefused, load_refresh_report
            from orchestration.refreshing import refresh as run_refresh

            try:
                report = run_refresh(company)
            except RefreshRefused as error:
                if refused := load_refresh_report(company):
                    answer(**asdict(refused))
                stop(str(error), EXIT_FAILED)
    except NightIsBusy as error:
        stop(str(error), EXIT_BUSY)
    answer(**asdict(report))
    console.print(f"{report.outcome}: readers see release {report.release_id}", highlight=False)
    console.print(
        f"  {report.files_landed} files, {report.rows_landed:,} rows, {report.checks_passed} checks passed, "
        f"{sum(report.seconds.values()):.1f} s; pay is that of night {report.night_release_id}",
        highlight=False,
        soft_wrap=True,
    )


def _keep_watch(company: Company, seconds: float) -> None:
    """Until somebody stops it. A refusal is said and ends nothing: the next night mends what the day cannot."""
    from orchestration.refreshing.watch import keep_watch

    try:
        keep_watch(company, seconds, _refresh_unless_busy)
    except NightIsBusy as error:
        stop(str(error), EXIT_BUSY)


def _refresh_unless_busy(company: Company) -> bool:
    try:
        _refresh_once(company)
    except typer.Exit as outcome:
        return outcome.exit_code != EXIT_BUSY
    return True
