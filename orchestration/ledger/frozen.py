"""Everything a closed period was computed from, kept under its hashes, and the statements rebuilt from it.

Kept are the rows that the pay models read of the period (results, assignments, salaries, absences), every policy and
mapping seed, and the models themselves with their macros. Rebuilding runs these models on these rows in a warehouse of
its own: it needs neither the extracts, nor the warehouse, nor today's policy or code.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.ledger.basis import Basis, closed_table
from orchestration.ledger.canonical import TableText, canonical_json, create_table, read_table
from orchestration.ledger.errors import LedgerError, Refused
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.state import Period, fold
from orchestration.ledger.store import open_ledger
from orchestration.ledger.warehouse_tables import write_tables
from orchestration.manifest import read_manifest
from orchestration.night import code_version, hash_policy
from orchestration.settings import PROJECT_DIR, Company
from orchestration.sql_text import quoted
from orchestration.transform import build

_REBUILT = ("statements", "statement_lines")
# What turns results into pay. Whatever these models read from outside these folders is an input and is kept.
_PAY_FOLDERS = (["intermediate", "scorecards"], ["intermediate", "incentives"], ["marts", "incentive"])
_PROJECT_FILES = ("dbt_project.yml", "profiles.yml")
_PROJECT_FOLDERS = ("models", "macros", "tests/dbt/generic")


@dataclass(frozen=True)
class Frozen:
    """Files by path: ``project/...``, ``seeds/...`` and ``inputs/<schema>.<table>``; ``settings`` of the company."""

    settings: dict[str, Any]
    files: dict[str, bytes]

    def put(self, keep: Callable[[bytes], str]) -> str:
        """Keep every file, then the manifest of paths and hashes; returns the manifest's hash."""
        return keep(canonical_json({path: keep(content) for path, content in self.files.items()}).encode("utf-8"))


def read_frozen(read: Callable[[str], bytes], closed: dict[str, Any]) -> Frozen:
    """What was kept when the period was closed."""
    manifest = json.loads(read(closed["frozen_sha256"]))
    return Frozen(closed["settings"], {path: read(sha256) for path, sha256 in manifest.items()})


def freeze(company: Company, basis: Basis) -> Frozen:
    """Collect what the period's statements in the release were computed from.

    Raises:
        Refused: seeds or code are no longer those of the release.

    """
    if hash_policy(company) != basis.policy_hash:
        raise Refused(f"the seeds were changed since release {basis.release_id} was built; run a night first")
    if code_version() != basis.code_version:
        raise Refused(f"the code was changed since release {basis.release_id} was built; run a night first")
    manifest = read_manifest(company)
    models, inputs = pay_models(manifest)
    files: dict[str, bytes] = {}
    for folder, paths in (
        (PROJECT_DIR, [PROJECT_DIR / name for name in _PROJECT_FILES]),
        *((PROJECT_DIR, _files(PROJECT_DIR / name)) for name in _PROJECT_FOLDERS),
    ):
        files |= {f"project/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}
    files |= {
        f"seeds/{path.relative_to(company.seeds_dir).as_posix()}": path.read_bytes()
        for path in _files(company.seeds_dir)
        if path.suffix == ".csv"
    }
    connection = duckdb.connect(str(company.warehouse_path), read_only=True)
    try:
        for name, table in _rows_of_period(connection, inputs, basis).items():
            files[f"inputs/{name}"] = table.to_bytes()
    finally:
        connection.close()
    settings = {
        "time_zone": company.time_zone,
        "currency_code": company.currency_code,
        "models": models,
        "duckdb_version": duckdb.__version__,
    }
    return Frozen(settings, files)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.*") if path.is_file() and "__pycache__" not in path.parts)


def pay_models(manifest: dict[str, Any]) -> tuple[list[str], list[tuple[str, str]]]:
    """The seeds and models that must run for the statements, and the relations they read from outside."""
    models: set[str] = set()
    inputs: set[tuple[str, str]] = set()
    waiting = [
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["fqn"][1:3] == ["marts", "incentive"] and node["name"] in _REBUILT
    ]
    seen = set(waiting)
    while waiting:
        node = manifest["nodes"].get(key := waiting.pop()) or manifest["sources"][key]
        if node["resource_type"] == "seed":
            models.add(node["name"])
            continue
        if node["resource_type"] != "model" or node["fqn"][1:3] not in _PAY_FOLDERS:
            # The control tables are written for the rebuilding night itself.
            if node["schema"] != "control":
                inputs.add((node["schema"], node.get("identifier") or node["alias"]))
            continue
        models.add(node["name"])
        parents = [parent for parent in node["depends_on"]["nodes"] if parent not in seen]
        seen.update(parents)
        waiting += parents
    return sorted(models), sorted(inputs)


def _rows_of_period(
    connection: duckdb.DuckDBPyConnection, inputs: list[tuple[str, str]], basis: Basis
) -> dict[str, TableText]:
    """The rows of every input that bear on the period: those of its days where the input is dated by period or day, and
    of customers only those who bought something then. Names and contact data are left out, and customers are numbered
    anew: the ledger is kept for good, and somebody may have to be erased.
    """
    values = [basis.key.period_type, basis.key.period_start, basis.period_end]
    of_period = "period_type = $1 and period_start = $2 and $3 is not null"
    of_days = "date_day >= $2 and date_day < $3 and $1 is not null"
    columns: dict[str, list[str]] = {}
    conditions: dict[str, str] = {}
    for schema, table in inputs:
        relation = f"{quoted(schema)}.{quoted(table)}"
        columns[relation] = [row[0] for row in connection.execute(f"describe {relation}").fetchall()]
        if {"period_type", "period_start"} <= set(columns[relation]):
            conditions[relation] = of_period
        elif "date_day" in columns[relation]:
            conditions[relation] = of_days
    buyers = " union ".join(
        f"select customer_id from {relation} where {condition}"
        for relation, condition in conditions.items()
        if "customer_id" in columns[relation]
    )
    if buyers:
        connection.execute(
            "create or replace temp table numbered_customers as "
            "select customer_id, 'customer ' || row_number() over (order by customer_id) as number "
            f"from (select distinct customer_id from ({buyers}) where customer_id is not null)",
            values,
        )
    left_out = contact_columns()
    kept = {}
    for schema, table in inputs:
        relation = f"{quoted(schema)}.{quoted(table)}"
        names = ", ".join(
            "(select number from numbered_customers as n where n.customer_id = kept_rows.customer_id) as customer_id"
            if name == "customer_id"
            else quoted(name)
            for name in columns[relation]
            if name not in left_out
        )
        query = f"select {names} from {relation} as kept_rows"
        parameters: list[Any] = []
        if relation in conditions:
            query, parameters = f"{query} where {conditions[relation]}", values
        elif buyers and "customer_id" in columns[relation]:
            query, parameters = f"{query} where kept_rows.customer_id in ({buyers})", values
        kept[f"{schema}.{table}"] = read_table(connection, query, parameters)
    return kept


@cache
def contact_columns() -> frozenset[str]:
    """Columns that the extract contract tags as contact data, or as telling who a customer is."""
    names = set()
    for path in (PROJECT_DIR / "models" / "staging").rglob("_*__sources.yml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                for column in table.get("columns", []):
                    if {"contact", "personal"} & set(column.get("config", {}).get("tags", [])):
                        names.add(column["name"])
    return frozenset(names)


def rebuild(company: Company, frozen: Frozen, key: PeriodKey, as_of: date) -> dict[str, TableText]:
    """Run the kept models on the kept rows and policy, in a folder of their own that is removed afterwards.

    Raises:
        LedgerError: they do not run.

    """
    company.state_dir.mkdir(parents=True, exist_ok=True)
    # Beside the warehouse: pay must not lie in a temporary folder that others may read.
    with tempfile.TemporaryDirectory(prefix="rebuild-", dir=company.state_dir) as name:
        folder = Path(name)
        for path, content in frozen.files.items():
            if not path.startswith("inputs/"):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        scratch = replace(
            company,
            folder=folder,
            data_dir=folder,
            time_zone=frozen.settings["time_zone"],
            currency_code=frozen.settings["currency_code"],
        )
        scratch.state_dir.mkdir()
        _load_inputs(scratch, frozen, as_of)
        failed = [
            f"{result.name}: {result.message}"
            for result in build(
                scratch, "--select", *frozen.settings["models"], "--resource-types", "seed", "model",
                project_dir=folder / "project",
            )
            if not result.succeeded
        ]  # fmt: skip
        if failed:
            raise LedgerError(f"{key} cannot be rebuilt: {'; '.join(failed)}")
        return _rebuilt_tables(scratch, key)


def _load_inputs(scratch: Company, frozen: Frozen, as_of: date) -> None:
    connection = duckdb.connect(str(scratch.warehouse_path))
    try:
        connection.execute("create schema control")
        connection.execute("create table control.night as select cast(? as date) as as_of", [as_of])
        # An empty ledger: the period is open again, so that the models compute it.
        write_tables(connection, fold([]), lambda _: b"")
        for path, content in frozen.files.items():
            if path.startswith("inputs/"):
                schema, table = path.removeprefix("inputs/").split(".", 1)
                connection.execute(f"create schema if not exists {quoted(schema)}")
                create_table(connection, f"{quoted(schema)}.{quoted(table)}", TableText.from_bytes(content))
    finally:
        connection.close()


def _rebuilt_tables(scratch: Company, key: PeriodKey) -> dict[str, TableText]:
    of_period = "period_type = $1 and period_start = $2"
    connection = duckdb.connect(str(scratch.warehouse_path), read_only=True)
    try:
        values = [key.period_type, key.period_start]
        return {
            "statements": read_table(connection, f"select * from incentive.statements where {of_period}", values),
            "statement_lines": read_table(
                connection,
                "select * from incentive.statement_lines where statement_id in "
                f"(select statement_id from incentive.statements where {of_period})",
                values,
            ),
        }
    finally:
        connection.close()


def differences(name: str, kept: TableText, rebuilt: TableText) -> Iterator[str]:
    """Every cell in which two tables differ, and every row that only one of them has."""
    if kept.columns != rebuilt.columns:
        yield f"{name}: the columns are {rebuilt.columns}, were {kept.columns}"
        return
    key_names = [column for column in ("statement_id", "line_no") if column in kept.names]
    before, after = (
        {tuple(row[column] for column in key_names): row for row in table.records()} for table in (kept, rebuilt)
    )
    if len(before) != len(kept.rows) or len(after) != len(rebuilt.rows):
        yield f"{name}: rows share a key"
    for key in sorted(before.keys() | after.keys(), key=str):
        shown = f"{name} {'/'.join(str(part) for part in key)}"
        if key not in after or key not in before:
            yield f"{shown}: {'is missing' if key in before else 'was not there'}"
            continue
        for column, value in before[key].items():
            if after[key][column] != value:
                yield f"{shown}.{column}: {after[key][column]}, was {value}"


def prove(company: Company, basis: Basis, frozen: Frozen) -> None:
    """Rebuild the statements from what would be kept, before it is.

    Raises:
        Refused: a cell comes out differently, so what would be kept does not suffice.

    """
    rebuilt = rebuild(company, frozen, basis.key, basis.as_of)
    kept = {"statements": basis.statements, "statement_lines": basis.statement_lines}
    found = [text for name in _REBUILT for text in differences(name, kept[name], rebuilt[name])]
    if found:
        raise Refused(
            f"{basis.key} cannot be closed: rebuilding it gives other statements than release {basis.release_id}; "
            f"run a night first: {_shown(found)}"
        )


def rebuild_closed(company: Company, period: Period) -> tuple[int, int]:
    """Rebuild a closed period from the ledger alone and compare it with what was closed, cell by cell; returns the number
    of statements and of cells compared.

    Raises:
        LedgerError: a cell differs.

    """
    with open_ledger(company) as ledger:
        frozen = read_frozen(ledger.content, period.closed)
        kept = {name: closed_table(ledger.content, period.closed, name) for name in _REBUILT}
    rebuilt = rebuild(company, frozen, period.key, period.as_of)
    found = [text for name in _REBUILT for text in differences(name, kept[name], rebuilt[name])]
    if found:
        raise LedgerError(f"{period.key}: rebuilt statements differ from the closed ones: {_shown(found)}")
    for name in _REBUILT:
        if kept[name].to_bytes() != rebuilt[name].to_bytes():
            raise LedgerError(f"{period.key}: {name} are equal in every cell but not in their bytes")
    return len(kept["statements"].rows), sum(len(table.rows) * len(table.columns) for table in kept.values())


def _shown(found: list[str], most: int = 5) -> str:
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + rest
