"""The commands that bring a release to other places: Parquet files, a PostgreSQL database."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    CompanyOption,
    answer,
    choose,
    console,
    stop,
    with_json,
)
from orchestration.publishing.release import Release, current_release
from orchestration.settings import load_company

PayrollOption = Annotated[bool, typer.Option("--payroll", help="The pay file instead of what BI reads.")]

export = typer.Typer(help="Bring the release in place to other places.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(export, name="export")


def _in_place() -> Release:
    release = current_release(load_company())
    if release is None:
        stop("nothing was published yet", EXIT_FAILED)
    return release


@export.command()
@with_json
def parquet(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    payroll: PayrollOption = False,
    company: CompanyOption = None,
) -> None:
    """Write every table as a Parquet file, all of them or none."""
    choose(company)
    from orchestration.publishing.parquet import ExportError, export_parquet

    release = _in_place()
    try:
        tables = export_parquet(release, folder.resolve(), payroll=payroll)
    except ExportError as error:
        stop(str(error), EXIT_FAILED)
    answer(release_id=release.release_id, folder=str(folder), tables=tables)
    console.print(f"{folder}: {len(tables)} tables of release {release.release_id}", highlight=False, soft_wrap=True)


@export.command()
@with_json
def postgres(
    dsn_from: Annotated[
        str, typer.Argument(help="Name of the environment variable that holds the connection string.")
    ] = "SCORECARD_POSTGRES_DSN",
    prefix: Annotated[str, typer.Option(help="Schemas are named by this and the release's own schema.")] = "scorecard_",
    payroll: PayrollOption = False,
    company: CompanyOption = None,
) -> None:
    """Publish into PostgreSQL in one transaction; readers see the release before until it commits."""
    choose(company)
    if importlib.util.find_spec("psycopg") is None:
        stop("psycopg is not installed: install the optional part 'postgres' of this package", EXIT_USAGE)
    dsn = os.environ.get(dsn_from)
    if not dsn:
        stop(f"{dsn_from}: the environment variable with the connection string is not set", EXIT_USAGE)
    from orchestration.publishing.parquet import ExportError
    from orchestration.publishing.postgres import publish_to_postgres

    release = _in_place()
    try:
        published = publish_to_postgres(release, dsn, prefix, payroll=payroll)
    except ExportError as error:
        stop(str(error), EXIT_FAILED)
    answer(release_id=release.release_id, rows=published.rows, schemas_left=published.schemas_left)
    console.print(
        f"release {release.release_id}: {len(published.rows)} tables, {sum(published.rows.values()):,} rows",
        highlight=False,
    )
    for schema in published.schemas_left:
        console.print(f"{schema} is still read by somebody; the next publication drops it", highlight=False)
