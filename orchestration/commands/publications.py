"""Commands on what was published: releases kept, the way back, the gate's results, and questions to the tables."""

from __future__ import annotations

import getpass
import json
from dataclasses import astuple, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape
from rich.table import Table

from expectations.checks import CheckResult, load_results
from orchestration.commands.common import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_USAGE,
    CompanyOption,
    JsonOption,
    answer,
    choose,
    console,
    stop,
    with_json,
)
from orchestration.lock import NightIsBusy, night_lock
from orchestration.publishing.checks_page import render_checks
from orchestration.publishing.failing_rows import failing_rows_dir, read_failing_rows
from orchestration.publishing.files import write_durably
from orchestration.publishing.history import as_json, list_publications, rollback
from orchestration.publishing.reader import open_locked_down
from orchestration.publishing.release import PublishRefused, Release, current_release
from orchestration.publishing.seal import checks_dir
from orchestration.settings import Company, load_company
from orchestration.state import candidate_is_planned, load_candidate, load_report


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(publications)
    app.command(name="rollback")(with_json(roll_back))
    app.command()(checks)
    app.command()(query)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def print_rows(columns: list[str], rows: list[tuple[Any, ...]], as_json_text: bool) -> None:
    """A table for people, or one JSON array of objects for programs."""
    if as_json_text:
        objects = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        typer.echo(json.dumps(objects, ensure_ascii=False, indent=1, default=str))
        return
    table = Table(*[escape(column) for column in columns], box=None)
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(table)


def _release(company: Company) -> Release:
    try:
        release = current_release(company)
    except PublishRefused as error:
        stop(str(error), EXIT_FAILED)
    if release is None:
        stop("nothing was published yet", EXIT_FAILED)
    return release


def publications(company: CompanyOption = None, json_text: JsonOption = False) -> None:
    """List the releases kept, each compared byte for byte with what was checked."""
    choose(company)
    entries = [as_json(entry) for entry in list_publications(load_company())]
    columns = ["release_id", "is_current", "as_of", "built_at", "gate_state", "incentives_release_id", "problem"]
    print_rows(columns, [tuple(entry[column] for column in columns) for entry in entries], json_text)


def roll_back(
    reason: Annotated[str, typer.Option(help="Why; kept with your name and the time.")],
    release_id: Annotated[str | None, typer.Argument(help="Default: the newest whole release before this one.")] = None,
    by: Annotated[str | None, typer.Option(help="Who; default: the user of this computer.")] = None,
    company: CompanyOption = None,
) -> None:
    """Let readers see an earlier release. The next night publishes anew."""
    choose(company)
    chosen = load_company()
    try:
        with night_lock(chosen.lock_path):
            release = rollback(chosen, release_id, by or getpass.getuser(), reason)
    except NightIsBusy as error:
        stop(str(error), EXIT_BUSY)
    except PublishRefused as error:
        stop(str(error), EXIT_FAILED)
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
    json_text: JsonOption = False,
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
        console.print(f"{html}: {len(results)} checks", highlight=False, soft_wrap=True)
        return
    if refused:
        columns = [field.name for field in fields(CheckResult)]
        listed = sorted(results, key=lambda result: (result.passed, result.name))
        print_rows(columns, [astuple(result) for result in listed if not (failed and result.passed)], json_text)
        return
    if rows is not None:
        folder = failing_rows_dir(chosen)
        nights = sorted((path.name for path in folder.iterdir()), reverse=True) if folder.is_dir() else []
        found = next((table for night in nights if (table := read_failing_rows(chosen, night, rows))), None)
        if found is None:
            stop(f"no rows were kept for {rows}: it has not failed in the nights kept, or it shows none", EXIT_USAGE)
        print_rows(found[0], [tuple(row) for row in found[1:]], json_text)
        return
    with open_locked_down(_release(chosen).marts_path) as connection:
        result = connection.execute(
            "select name, scope, kind, passed, checked, failed, observed, threshold, message from meta.check_results "
            "where not passed or not $failed order by passed, scope desc, name",
            {"failed": failed},
        )
        columns = [column[0] for column in result.description]
        print_rows(columns, result.fetchall(), json_text)


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
    json_text: JsonOption = False,
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
            columns = [column[0] for column in result.description or []]
            print_rows(columns, result.fetchall(), json_text)
    except duckdb.Error as error:
        stop(str(error), EXIT_FAILED)
