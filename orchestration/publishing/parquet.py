"""A release as Parquet files, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import duckdb

from orchestration.pay_file import attach_file
from orchestration.publishing.files import sync_file, sync_folder, write_durably
from orchestration.publishing.release import Release, verify_release
from orchestration.sql_text import literal, quoted


class ExportError(Exception):
    """Nothing was exported; the message says why."""


def tables_of(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """Schema and name of every table of an attached file, sorted."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? order by all", [database]
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def export_parquet(release: Release, folder: Path, *, payroll: bool = False) -> list[str]:
    """Write ``<folder>/<schema>/<table>.parquet`` and ``release.json``; returns the tables written. Values keep their types:
    a text that begins like a formula is a text in every program that reads the file.

    The files are written beside ``folder`` under another name, and renamed when all are on disk.

    Raises:
        ExportError: the folder exists, the release is damaged, or there is no pay yet.

    """
    path = release.incentives_path if payroll else release.marts_path
    if folder.exists():
        raise ExportError(f"{folder}: exists already; name a folder that does not")
    if not path.is_file():
        raise ExportError("there are no incentives yet")
    verify_release(release)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    old_mask = os.umask(0o077 if payroll else 0o022)
    try:
        written = _write(path, partial)
        note = {"release_id": release.release_id, "tables": written}
        write_durably(partial / "release.json", json.dumps(note, indent=1) + "\n")
        for file in partial.rglob("*.parquet"):
            sync_file(file)
        os.rename(partial, folder)
        sync_folder(folder.parent)
    except (OSError, duckdb.Error) as error:
        raise ExportError(f"{folder}: nothing was written: {error}") from error
    finally:
        os.umask(old_mask)
        shutil.rmtree(partial, ignore_errors=True)
    return written


def _write(path: Path, folder: Path) -> list[str]:
    written = []
    with duckdb.connect() as connection:
        attach_file(connection, path, "release", "read_only")
        for schema, table in tables_of(connection, "release"):
            target = folder / schema / f"{table}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"copy release.{quoted(schema)}.{quoted(table)} to {literal(str(target))} (format parquet, compression zstd)"
            )
            written.append(f"{schema}.{table}")
    return written
