"""Writes a night's results to new DuckDB files: what BI reads, and, in a file of its own, what payroll reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.apart import SeparateProcess
from orchestration.ledger.chain import Head
from orchestration.manifest import read_manifest
from orchestration.pay_file import attach_new
from orchestration.publishing.files import sync_file
from orchestration.settings import Company
from orchestration.sql_text import attach, literal, quoted

MARTS_FILE = "marts.duckdb"
INCENTIVES_FILE = "incentives.duckdb"

# One schema per folder of models/marts. Which file a schema goes into is decided here and nowhere else: pay never
# reaches the file that BI tools open.
MARTS_SCHEMAS = ("core", "kpi", "journey", "value", "voice", "scorecard", "programme", "meta")
INCENTIVES_SCHEMAS = ("incentive",)

# What a column's tag in the models' YAML says it holds, and what the file that BI tools open never has.
NOT_FOR_BI = frozenset({"pay", "contact", "name"})

# Files of this storage version are read by DuckDB 1.4, 1.5 and 2, and ignore a write-ahead log of another file beside them.
STORAGE_VERSION = "v1.4.0"


@dataclass(frozen=True)
class Candidate:
    """A release in the making, in a folder that no reader looks at."""

    release_id: str
    folder: Path
    as_of: date
    run_id: str
    code_version: str
    policy_hash: str
    inputs_hash: str
    built_at: datetime
    ledger_head: Head = field(default_factory=Head)

    @property
    def marts_path(self) -> Path:
        """What BI tools will read."""
        return self.folder / MARTS_FILE

    @property
    def incentives_path(self) -> Path:
        """What payroll will read."""
        return self.folder / INCENTIVES_FILE


@dataclass(frozen=True)
class _Model:
    """A published model: its descriptions and, where only its touched partitions are written within the day, the relation
    that lists them and its keys.
    """

    description: str
    columns: Mapping[str, str]
    patched_by: str
    partition: Sequence[str]


class TaggedColumn(Exception):
    """Pay, contact data or names would get into the file that BI reads."""


def tagged_columns(company: Company, schemas: Iterable[str]) -> set[str]:
    """``schema.table.column`` of every published column that is tagged as not for BI, or is called like a column of the
    extracts that is.
    """
    manifest = read_manifest(company)

    def is_tagged(column: dict[str, Any]) -> bool:
        return bool(NOT_FOR_BI & {*column.get("tags", ()), *(column.get("config") or {}).get("tags", ())})

    delivered = {
        column["name"]
        for source in manifest["sources"].values()
        for column in source["columns"].values()
        if is_tagged(column)
    }
    return {
        f"{node['schema']}.{node['alias']}.{column['name']}"
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts" and node["schema"] in set(schemas)
        for column in node["columns"].values()
        if is_tagged(column) or column["name"] in delivered
    }


def candidates_dir(company: Company) -> Path:
    """Folder of releases in the making; on the same file system as the releases, so that one rename moves them."""
    return company.published_dir / ".candidates"


def discard_candidates(company: Company) -> None:
    """Remove what a night that was killed left behind."""
    shutil.rmtree(candidates_dir(company), ignore_errors=True)


def write_marts(company: Company, candidate: Candidate, process: SeparateProcess) -> list[str]:
    """Write the marts file of the candidate; returns the tables written, as ``schema.table``.

    DuckDB writes unused ends of blocks as they lay in memory. Whoever calls has landed names and salaries or read closed
    statements, so that ``process``, which has not, opens the file.

    Raises:
        TaggedColumn: a model of the marts has a column that holds pay, contact data or names.
        ProcessDied: the process was killed.

    """
    if tagged := tagged_columns(company, MARTS_SCHEMAS):
        raise TaggedColumn(f"columns that BI must not see: {', '.join(sorted(tagged))}")
    tables = process.call(_write, company, candidate.marts_path, MARTS_SCHEMAS, attach)
    os.chmod(candidate.marts_path, 0o644)
    return tables


def begin_refreshed_marts(company: Company, candidate: Candidate, standing: Path) -> None:
    """Copy the marts file of the release in place (``standing``), from which a refresh within the day starts, and read what
    :func:`write_refreshed_marts` will ask for. For its process, while others build: the disk has the copy when it is written to.
    """
    candidate.folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(standing, candidate.marts_path)
    os.chmod(candidate.marts_path, 0o644)
    sync_file(candidate.marts_path)
    read_manifest(company)


def write_refreshed_marts(company: Company, candidate: Candidate, tables: Set[str], process: SeparateProcess) -> None:
    """Write the marts file of a refresh within the day: into what :func:`begin_refreshed_marts` has copied, ``tables``
    (``schema.table``) from the company's warehouse; of a table whose model names what it is ``patched_by``, the touched
    partitions. What the old rows held stays in free blocks of the file until the next night, which writes a new one.
    ``process`` opens the file, as in :func:`write_marts`.

    Raises:
        TaggedColumn: a model of the marts has a column that holds pay, contact data or names.
        ProcessDied: the process was killed.

    """
    if tagged := tagged_columns(company, MARTS_SCHEMAS):
        raise TaggedColumn(f"columns that BI must not see: {', '.join(sorted(tagged))}")
    process.call(_rewrite, company, candidate.marts_path, tables)


def _rewrite(company: Company, path: Path, tables: Set[str]) -> None:
    published = _mart_models(company, set(MARTS_SCHEMAS))
    connection = duckdb.connect()
    try:
        connection.execute("set enable_progress_bar = false")
        attach(connection, company.warehouse_path, "warehouse", "read_only")
        attach(connection, path, "release")
        # In one go: every table, and every comment on a column, would wait for the disk on its own.
        connection.execute("begin")
        for (schema, table), model in published.items():
            if f"{schema}.{table}" in tables:
                write = _patch_table if model.patched_by else _write_table
                write(connection, schema, table, model)
        connection.execute("commit")
        connection.execute("detach release")
    finally:
        connection.close()


def write_incentives(company: Company, candidate: Candidate) -> list[str]:
    """Write the incentives file of the candidate, readable by its owner only, and with the key only where one is set."""
    tables = _write(company, candidate.incentives_path, INCENTIVES_SCHEMAS, attach_new)
    os.chmod(candidate.incentives_path, 0o600)
    return tables


def _write(
    company: Company,
    path: Path,
    schemas: Iterable[str],
    create: Callable[[duckdb.DuckDBPyConnection, Path, str, str], None],
) -> list[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    published = _mart_models(company, set(schemas))
    connection = duckdb.connect()
    try:
        # In a process of its own DuckDB takes itself to be watched, and would draw into what the night prints.
        connection.execute("set enable_progress_bar = false")
        attach(connection, company.warehouse_path, "warehouse", "read_only")
        # Created for the owner alone: pay is not readable for a moment between creation and chmod.
        old_mask = os.umask(0o077)
        try:
            create(connection, path, "release", f"storage_version '{STORAGE_VERSION}'")
        finally:
            os.umask(old_mask)
        for schema in sorted({schema for schema, _ in published}):
            connection.execute(f"create schema release.{quoted(schema)}")
        for (schema, table), model in published.items():
            connection.execute("begin")
            _write_table(connection, schema, table, model)
            connection.execute("commit")
        connection.execute("detach release")
    finally:
        connection.close()
    return [f"{schema}.{table}" for schema, table in published]


def _write_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str, model: _Model) -> None:
    target = f"release.{quoted(schema)}.{quoted(table)}"
    connection.execute(f"create or replace table {target} as select * from warehouse.{quoted(schema)}.{quoted(table)}")
    connection.execute(f"comment on table {target} is {literal(model.description)}")
    for column, text in model.columns.items():
        connection.execute(f"comment on column {target}.{quoted(column)} is {literal(text)}")


def _patch_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str, model: _Model) -> None:
    """Replace the rows of the touched partitions, kind by kind (all values of the last key that the others have), which are
    named one by one: so the engine knows which blocks it need not read, and which rows of a view it need not make.
    """
    target, source = (f"{database}.{quoted(schema)}.{quoted(table)}" for database in ("release", "warehouse"))
    *kinds, last = model.partition
    touched = connection.execute(
        f"select {', '.join([*map(quoted, kinds), f'list({quoted(last)})'])} from warehouse.{model.patched_by} group by all"
    ).fetchall()
    for *kind, values in touched:
        places = ", ".join("?" * len(values))
        rows = " and ".join([f"{quoted(key)} = ?" for key in kinds] + [f"{quoted(last)} in ({places})"])
        connection.execute(f"delete from {target} where {rows}", [*kind, *values])
        connection.execute(f"insert into {target} by name select * from {source} where {rows}", [*kind, *values])


def _mart_models(company: Company, schemas: set[str]) -> dict[tuple[str, str], _Model]:
    """Published models by schema and table, in the order of their names."""
    manifest = read_manifest(company)
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    relations = {node["name"]: f"{quoted(node['schema'])}.{quoted(node['alias'])}" for node in nodes}
    models = {}
    for node in nodes:
        if node["fqn"][1] == "marts" and node["schema"] in schemas:
            meta = node["config"]["meta"]
            models[node["schema"], node["alias"]] = _Model(
                node["description"],
                {column["name"]: column["description"] for column in node["columns"].values()},
                relations[meta["patched_by"]] if "patched_by" in meta else "",
                meta.get("partition", ()),
            )
    return dict(sorted(models.items()))
