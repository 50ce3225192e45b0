"""``scorecard``: what people and cron call."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands import (
    backfilling,
    erasure,
    export,
    journeys,
    landing,
    ledger,
    publications,
    refreshing,
)
from orchestration.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    EXIT_WITHOUT_INCENTIVES,
    Commands,
    CompanyOption,
    answer,
    choose,
    console,
    stop,
    with_json,
    with_messages,
)
from orchestration.lock import NightIsBusy, night_lock
from orchestration.publishing.release import current_release
from orchestration.settings import load_company
from orchestration.state import NightReport, load_report

app = typer.Typer(
    cls=Commands,
    help="Customer Scorecard: what customers experience, in everybody's scorecard and pay.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
ledger.register(app)
publications.register(app)
landing.register(app)
erasure.register(app)
export.register(app)
refreshing.register(app)
backfilling.register(app)
journeys.register(app)


@app.command()
@with_json
def nightly(
    wait: Annotated[float, typer.Option(min=0, help="Minutes to wait for another night that is running.")] = 0.0,
    company: CompanyOption = None,
) -> None:
    """Run one night: land, build, check, publish.

    Exit codes: 0 published or nothing new, 1 failed, 3 published with the last good incentives, 75 another night is
    running.
    """
    choose(company)
    chosen = load_company()
    try:
        with night_lock(chosen.lock_path, wait_seconds=60 * wait):
            # Dagster takes seconds to import; a second caller must hear "busy" before that.
            from orchestration.nightly import run_nightly

            report = run_nightly(chosen)
    except NightIsBusy:
        from orchestration.nightwatch import tell_if_hung

        tell_if_hung(chosen)
        raise
    from orchestration.summary import print_summary

    answer(**asdict(report))
    print_summary(chosen, report, console)
    if report.outcome == "failed":
        answer(error=_failure(report))
        raise typer.Exit(EXIT_FAILED)
    if report.outcome == "published_without_incentives":
        raise typer.Exit(EXIT_WITHOUT_INCENTIVES)


def _failure(report: NightReport) -> str:
    return "; ".join(report.reasons) or "the night failed"


@app.command()
@with_json
def status(company: CompanyOption = None) -> None:
    """Show what the last night did, whether nights still come, and what readers see.

    Exit codes: 0 all is well, or no night has run yet, 1 the last night failed, died, hangs or did not come, or what it
    left is damaged.
    """
    choose(company)
    from orchestration.nightwatch import ended_nights, health, heartbeat_path, read_heartbeat
    from orchestration.refreshing import load_refresh_report
    from orchestration.summary import print_summary

    chosen = load_company()
    report, refreshed = load_report(chosen), load_refresh_report(chosen)
    state, sentence = health(chosen)
    beat = read_heartbeat(chosen) if state != "never_ran" else None
    if beat is None and heartbeat_path(chosen).exists():
        state, sentence = "damaged", f"{heartbeat_path(chosen)} cannot be read; the next night writes it anew"
    answer(
        health=state,
        health_text=sentence,
        heartbeat=asdict(beat) if beat else None,
        night=asdict(report),
        refresh=asdict(refreshed) if refreshed else None,
        nights=[asdict(night) for night in ended_nights(chosen)[-14:]],
    )
    release = current_release(chosen)
    answer(release_id=release.release_id if release else None)
    print_summary(chosen, report, console)
    console.print(f" {state}: {sentence}", style="green" if state in ("ok", "running") else "red", highlight=False)
    if state in ("stale", "died", "late", "damaged"):
        answer(error=sentence)
        raise typer.Exit(EXIT_FAILED)
    if state == "ok" and report.outcome == "failed":
        answer(error=_failure(report))
        raise typer.Exit(EXIT_FAILED)


@app.command()
@with_json
def sample(
    scale: Annotated[
        float,
        typer.Option(max=1000, help="1 is 40 stores, 600 employees, 20,000 customers; 250 is about 100 million lines."),
    ] = 1.0,
    company: CompanyOption = None,
) -> None:
    """Write the sample chain's extracts into the company's extracts folder, which must not exist yet."""
    choose(company)
    from orchestration.progress import say
    from orchestration.sample import SampleSpec, write_sample

    chosen = load_company()
    if chosen.extracts_dir.exists():
        stop(f"{chosen.extracts_dir}: exists already; move it away first", EXIT_USAGE)
    try:
        spec = SampleSpec(scale=scale)
    except ValueError as error:
        stop(f"--scale: {error}", EXIT_USAGE)
    written = write_sample(chosen.extracts_dir, spec, progress=lambda message: say("sample", message))
    answer(extracts_dir=str(written.extracts_dir), files=written.files, rows=written.rows)


@app.command(name="map")
@with_json
def map_extracts(
    data: Annotated[Path, typer.Argument(help="Folder with the source files that the company's mapping SQL reads.")],
    company: CompanyOption = None,
) -> None:
    """Write the company's extracts from files of another form, by its mapping SQL."""
    choose(company)
    from orchestration.mapping import MappingError, write_mapped_extracts
    from orchestration.progress import say

    chosen = load_company()
    try:
        written = write_mapped_extracts(chosen, data, progress=lambda message: say("mapping", message))
    except MappingError as error:
        stop(str(error), EXIT_FAILED)
    answer(
        extracts_dir=str(chosen.extracts_dir), written=[str(path.relative_to(chosen.extracts_dir)) for path in written]
    )


@app.command()
@with_json
def compare(
    data: Annotated[Path, typer.Argument(help="Folder with the figures that somebody else published.")],
    company: CompanyOption = None,
) -> None:
    """Compare what is published with figures computed elsewhere, digit by digit (the company's expected/*.sql)."""
    choose(company)
    from orchestration.comparison import compare_with_published
    from orchestration.mapping import MappingError

    try:
        comparisons = compare_with_published(load_company(), data)
    except MappingError as error:
        stop(str(error), EXIT_FAILED)
    answer(tables=[asdict(result) for result in comparisons])
    for result in comparisons:
        console.print(
            f"{result.table}: {result.rows:,} rows, {result.figures:,} figures compared, {result.different:,} different",
            highlight=False,
        )
        for example in result.examples:
            console.print(f"  {example}", highlight=False, soft_wrap=True)
    if different := sum(result.different for result in comparisons):
        stop(f"figures that differ from what is published: {different:,}", EXIT_FAILED)


@app.command()
@with_json
def simulate(
    plan_folder: Annotated[Path, typer.Argument(help="Folder with the changed seeds, named as the company's.")],
    period: Annotated[str, typer.Option(help="Period, as 2026-06 or by its first day.")],
    top: Annotated[int, typer.Option(help="How many of those who gain and lose most to list.")] = 20,
    company: CompanyOption = None,
) -> None:
    """Show what a changed policy would have paid: who gains, who loses, what it costs. Nothing real is touched."""
    choose(company)
    from expectations.policy import PolicyError
    from orchestration.simulation import SimulationError, parse_period
    from orchestration.simulation import simulate as simulate_policy
    from orchestration.summary import print_simulation

    try:
        result = simulate_policy(load_company(), plan_folder, parse_period(period))
    except (SimulationError, PolicyError) as error:
        stop(str(error), EXIT_FAILED)
    answer(
        period_start=result.period_start,
        changed_seeds=result.changed_seeds,
        totals={code: {"real": real, "simulated": simulated} for code, (real, simulated) in result.totals().items()},
        differences=[asdict(difference) | {"change": difference.change} for difference in result.differences],
    )
    print_simulation(result, console, top)


@app.command()
@with_messages
def ui(
    port: Annotated[int, typer.Option(help="Port on the loopback address.")] = 3000, company: CompanyOption = None
) -> None:
    """Open Dagster's user interface on the company's asset graph, with its schedule running."""
    choose(company)
    from orchestration.nightly import dagster_command

    command = dagster_command(
        load_company(), "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(port)
    )
    os.execvpe(command[0], command, os.environ)


def main() -> None:
    """Entry point."""
    app()
