"""Commands on what was published: releases kept, the way back, the gate's results, and questions to the tables."""

from __future__ import annotations

import getpass
from dataclasses import astuple, fields
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape
from rich.table import Table

from expectations.checks import CheckResult, load_results
from orchestration.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    CompanyOption,
    answer,
    choose,
    console,
    is_for_a_program,
    stop,
    with_json,
)
from orchestration.lock import night_lock
from orchestration.publishing.checks_page import render_checks
from orchestration.publishing.failing_rows import failing_rows_dir, read_failing_rows
from orchestration.publishing.files import write_durably
from orchestration.publishing.history import Publication, list_publications, rollback
from orchestration.publishing.reader import open_locked_down
from orchestration.publishing.release import Release, current_release
from orchestration.publishing.seal import checks_dir
from orchestration.settings import Company, load_company
from orchestration.state import candidate_is_planned, load_candidate, load_report


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(with_json(publications))
    app.command(name="rollback")(with_json(roll_back))
    app.command()(with_json(checks))
    app.command()(with_json(query))


def print_rows(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """A table for people, or one JSON array of objects for programs."""
    if is_for_a_program():
        answer(rows=[dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(*[escape(column) for column in columns], box=None)
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(table)


def _release(company: Company) -> Release:
    release = current_release(company)
    if release is None:
        stop("nothing was published yet", EXIT_FAILED)
    return release


def publications(company: CompanyOption = None) -> None:
    """List the releases kept, each compared byte for byte with what was checked.

    Exit codes: 0 the release in place is whole, or there is none yet, 1 it is damaged; damage of an earlier one is only said.
    """
    choose(company)
    chosen = load_company()
    entries = list_publications(chosen)
    print_rows([field.name for field in fields(Publication)], [astuple(entry) for entry in entries])
    in_place, link = next((entry for entry in entries if entry.is_current), None), chosen.published_dir / "current"
    if in_place is not None and in_place.problem:
        stop(f"the release in place, {in_place.release_id}, is damaged: {in_place.problem}", EXIT_FAILED)
    if in_place is None and link.is_symlink():
        stop(f"{link}: points at {link.readlink()}, which is no release", EXIT_FAILED)


def roll_back(
    reason: Annotated[str, typer.Option(help="Why; kept with your name and the time.")],
    release_id: Annotated[str | None, typer.Argument(help="Default: the newest whole release before this one.")] = None,
    by: Annotated[str | None, typer.Option(help="Who; default: the user of this computer.")] = None,
    company: CompanyOption = None,
) -> None:
    """Let readers see an earlier release. The next night publishes anew."""
    choose(company)
    chosen = load_company()
    with night_lock(chosen.lock_path):
        release = rollback(chosen, release_id, by or getpass.getuser(), reason)
    answer(release_id=release.release_id)
    console.print(f"readers see release {release.release_id}", highlight=False)


def checks(
    failed: Annotated[bool, typer.Option("--failed", help="Only checks that did not pass.")] = False,
    rows: Annotated[
        str | None, typer.Option(help="Show the rows that this rule found in the last night that it failed in.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the results as a page that needs nothing else; without sums of pay.")
    ] = None,
    refused: Annotated[
        bool, typer.Option("--refused", help="Of the last night that was planned and not published.")
    ] = False,
    company: CompanyOption = None,
) -> None:
    """Show what the gate saw in the release in place, or the rows at fault behind one rule. The page of a release lies beside
    its files (checks.html).
    """
    choose(company)
    chosen = load_company()
    if refused:
        title, facts, results, reasons = _of_refused_night(chosen)
    elif html is not None:
        title, facts, results, reasons = _of_release(_release(chosen))
    if html is not None:
        write_durably(html, render_checks(title, facts, results, reasons))
        answer(html=str(html), checks=len(results))
        console.print(f"{html}: {len(results)} checks", highlight=False, soft_wrap=True)
        return
    if refused:
        columns = [field.name for field in fields(CheckResult)]
        listed = sorted(results, key=lambda result: (result.passed, result.name))
        print_rows(columns, [astuple(result) for result in listed if not (failed and result.passed)])
        return
    if rows is not None:
        folder = failing_rows_dir(chosen)
        nights = sorted((path.name for path in folder.iterdir()), reverse=True) if folder.is_dir() else []
        found = next((table for night in nights if (table := read_failing_rows(chosen, night, rows))), None)
        if found is None:
            stop(f"no rows were kept for {rows}: it has not failed in the nights kept, or it shows none", EXIT_USAGE)
        print_rows(found[0], [tuple(row) for row in found[1:]])
        return
    with open_locked_down(_release(chosen).marts_path) as connection:
        result = connection.execute(
            "select name, scope, kind, passed, checked, failed, observed, threshold, message from meta.check_results "
            "where not passed or not $failed order by passed, scope desc, name",
            {"failed": failed},
        )
        print_rows([column[0] for column in result.description], result.fetchall())


_Checks = tuple[str, dict[str, str], list[CheckResult], list[str]]


def _of_release(release: Release) -> _Checks:
    names = [field.name for field in fields(CheckResult)]
    with open_locked_down(release.marts_path) as connection:
        rows = connection.execute(f"select {', '.join(names)} from meta.check_results").fetchall()
        as_of, built_at, paid_from, reasons = connection.execute(
            "select as_of, built_at, incentives_release_id, reasons from meta.publication"
        ).fetchall()[0]
    facts = {"as of": str(as_of), "built": f"{built_at:%Y-%m-%d %H:%M} UTC", "pay of": paid_from or "no release yet"}
    title = f"release {release.release_id}"
    return title, facts, [CheckResult(*row) for row in rows], reasons.split("; ") if reasons else []


def _of_refused_night(company: Company) -> _Checks:
    if not candidate_is_planned(company):
        stop("no night was planned yet", EXIT_USAGE)
    candidate, report = load_candidate(company), load_report(company)
    results = load_results(checks_dir(company, candidate.release_id))
    if not results:
        stop(f"{candidate.release_id} was published; ask without --refused", EXIT_USAGE)
    facts = {"as of": candidate.as_of.isoformat(), "built": f"{candidate.built_at:%Y-%m-%d %H:%M} UTC"}
    return f"{candidate.release_id}, which was not published", facts, results, report.reasons


def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement that reads.")],
    payroll: Annotated[
        bool, typer.Option("--payroll", help="Ask the incentives file, which only its owner reads.")
    ] = False,
    company: CompanyOption = None,
) -> None:
    """Ask the release in place a question, through a reader that can do nothing else."""
    choose(company)
    release = _release(load_company())
    path = release.incentives_path if payroll else release.marts_path
    if not path.is_file():
        stop("there are no incentives yet", EXIT_FAILED)
    try:
        with open_locked_down(path) as connection:
            result = connection.execute(sql)
            print_rows([column[0] for column in result.description or []], result.fetchall())
    except duckdb.Error as error:
        stop(str(error), EXIT_FAILED)
