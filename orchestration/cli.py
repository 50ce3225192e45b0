"""``scorecard``: what people and cron call."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from orchestration.lock import NightIsBusy, night_lock
from orchestration.settings import SettingsError, load_company
from orchestration.state import load_report

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_WITHOUT_INCENTIVES = 3
EXIT_BUSY = 75

app = typer.Typer(
    help="Customer Scorecard: what customers experience, in everybody's scorecard and pay.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()

CompanyOption = Annotated[
    Path | None,
    typer.Option(
        "--company", help="Folder of the company (its company.yml); default: SCORECARD_COMPANY, then the sample."
    ),
]


def _choose(folder: Path | None) -> None:
    """The chosen company is passed on through the environment: Dagster's own processes read it there."""
    if folder is not None:
        os.environ["SCORECARD_COMPANY"] = str(folder.resolve())


def _stop(message: str, code: int) -> None:
    console.print(f"[red]{message}[/red]", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@app.command()
def nightly(company: CompanyOption = None) -> None:
    """Run one night: land, build, check, publish.

    Exit codes: 0 published or nothing new, 1 failed, 3 published with the last good incentives, 75 another night is
    running.
    """
    _choose(company)
    chosen = load_company()
    try:
        with night_lock(chosen.lock_path):
            # Dagster takes seconds to import; a second caller must hear "busy" before that.
            from orchestration.nightly import run_nightly

            report = run_nightly(chosen)
    except NightIsBusy as error:
        _stop(str(error), EXIT_BUSY)
    from orchestration.summary import print_summary

    print_summary(chosen, report, console)
    if report.outcome == "failed":
        raise typer.Exit(EXIT_FAILED)
    if report.outcome == "published_without_incentives":
        raise typer.Exit(EXIT_WITHOUT_INCENTIVES)


@app.command()
def status(company: CompanyOption = None) -> None:
    """Show what the last night did and what readers see."""
    _choose(company)
    from orchestration.summary import print_summary

    chosen = load_company()
    print_summary(chosen, load_report(chosen), console)


@app.command()
def landed(
    extract: Annotated[str | None, typer.Option(help="Only this one, such as sales/returns.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many files to show.")] = 20,
    rejects: Annotated[
        bool, typer.Option("--rejects", help="Print the rows in quarantine as CSV, to be sent to who delivered them.")
    ] = False,
    settled: Annotated[
        bool, typer.Option("--settled", help="With --rejects: also the rows that a later delivery has made good.")
    ] = False,
    record: Annotated[
        list[str] | None, typer.Option(help="Show every delivered version of this record; one --record per key column.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    company: CompanyOption = None,
) -> None:
    """Show the files that landed last, their rows, and what was refused and why.

    Exit codes: 1 nothing was landed yet, 2 wrong usage, 75 a night is running and has the books open.
    """
    _choose(company)
    from orchestration.landed import LandedRequest, print_landed
    from orchestration.landing import LandingError
    from orchestration.landing.books import WarehouseIsBusy

    request = LandedRequest(extract, last, rejects, settled, tuple(record or ()), as_json)
    try:
        print_landed(load_company(), request, console)
    except WarehouseIsBusy as error:
        _stop(escape(str(error)), EXIT_BUSY)
    except ValueError as error:
        _stop(escape(str(error)), EXIT_USAGE)
    except LandingError as error:
        _stop(escape(str(error)), EXIT_FAILED)


@app.command()
def sample(
    scale: Annotated[
        float, typer.Option(help="1 is 40 stores, 600 employees, 20,000 customers; 250 is about 100 million lines.")
    ] = 1.0,
    company: CompanyOption = None,
) -> None:
    """Write the sample chain's extracts into the company's extracts folder, which must not exist yet."""
    _choose(company)
    from orchestration.progress import say
    from orchestration.sample import SampleSpec, write_sample

    chosen = load_company()
    if chosen.extracts_dir.exists():
        _stop(f"{chosen.extracts_dir}: exists already; move it away first", EXIT_USAGE)
    write_sample(chosen.extracts_dir, SampleSpec(scale=scale), progress=lambda message: say("sample", message))


@app.command(name="map")
def map_extracts(
    data: Annotated[Path, typer.Argument(help="Folder with the source files that the company's mapping SQL reads.")],
    company: CompanyOption = None,
) -> None:
    """Write the company's extracts from files of another form, by its mapping SQL."""
    _choose(company)
    from orchestration.mapping import MappingError, write_mapped_extracts
    from orchestration.progress import say

    try:
        write_mapped_extracts(load_company(), data, progress=lambda message: say("mapping", message))
    except MappingError as error:
        _stop(str(error), EXIT_FAILED)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on the loopback address.")] = 3000, company: CompanyOption = None
) -> None:
    """Open Dagster's user interface on the company's asset graph, with its schedule running."""
    _choose(company)
    from orchestration.nightly import dagster_command

    command = dagster_command(
        load_company(), "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(port)
    )
    os.execvpe(command[0], command, os.environ)


def main() -> None:
    """Entry point: errors of settings are messages, not tracebacks."""
    try:
        app()
    except SettingsError as error:
        console.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        sys.exit(EXIT_USAGE)
