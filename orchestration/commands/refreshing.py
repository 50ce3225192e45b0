"""The command for whoever refreshes within the day without the Dagster daemon."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from orchestration.commands.common import EXIT_BUSY, EXIT_FAILED, CompanyOption, choose, console, stop
from orchestration.lock import NightIsBusy, night_lock
from orchestration.settings import load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(refresh)


def refresh(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, company: CompanyOption = None
) -> None:
    """Bring new survey answers and case outcomes to the readers, within the day; pay stays that of the night.

    Exit codes: 0 refreshed or nothing new, 1 refused and the release in place stays, 75 a night or another refresh is
    running.
    """
    choose(company)
    chosen = load_company()
    try:
        with night_lock(chosen.lock_path):
            from orchestration.refresh import RefreshRefused, load_refresh_report
            from orchestration.refresh import refresh as run_refresh

            try:
                report = run_refresh(chosen)
            except RefreshRefused as error:
                if as_json:
                    failed = load_refresh_report(chosen)
                    typer.echo(json.dumps(asdict(failed) if failed else {}, ensure_ascii=False, indent=1))
                    raise typer.Exit(EXIT_FAILED) from error
                stop(str(error), EXIT_FAILED)
    except NightIsBusy as error:
        stop(str(error), EXIT_BUSY)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False, indent=1))
        return
    console.print(f"{report.outcome}: readers see release {report.release_id}", highlight=False)
    console.print(
        f"  {report.files_landed} files, {report.rows_landed:,} rows, {report.checks_passed} checks passed, "
        f"{sum(report.seconds.values()):.1f} s; pay is that of night {report.night_release_id}",
        highlight=False,
        soft_wrap=True,
    )
