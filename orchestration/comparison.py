"""Hold the published release against figures that somebody else published for the same data.

A company folder may have ``expected/<schema>/<table>.sql``: one ``select`` each that reads the company's files below
``getvariable('data')``, as mapping queries do, and names its columns as the published table does. The table's grain
finds the row; every other column must be equal, null included, digit by digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.manifest import read_manifest
from orchestration.mapping import MappingError, connect_to_data, read_query
from orchestration.publishing.release import current_release
from orchestration.settings import Company
from orchestration.sql_text import attach, quoted


@dataclass(frozen=True)
class Comparison:
    """One table: rows and figures compared, and what differs, at most ``SHOWN`` of it in words."""

    table: str
    rows: int
    figures: int
    different: int
    examples: list[str]


SHOWN = 20


def compare_with_published(company: Company, data_dir: Path) -> list[Comparison]:
    """Compare every ``expected/<schema>/<table>.sql`` of the company with the release in place.

    Raises:
        MappingError: no data folder, no query, no release, or a query that fails or does not name the table's grain.

    """
    data_dir = data_dir.expanduser().resolve()
    if not data_dir.is_dir():
        raise MappingError(f"{data_dir}: data folder not found")
    folder = company.folder / "expected"
    paths = sorted(folder.glob("*/*.sql"))
    if not paths:
        raise MappingError(f"{folder}: no <schema>/<table>.sql in it")
    release = current_release(company)
    if release is None:
        raise MappingError(f"{company.published_dir}: nothing is published yet; run a night first")
    grains = _grains(company)
    company.state_dir.mkdir(parents=True, exist_ok=True)
    results = []
    for path in paths:
        table = f"{path.parent.name}.{path.stem}"
        if table not in grains:
            raise MappingError(f"{path}: {table} is not a published table with a tested grain")
        expected, names = _expected_rows(path, data_dir, company.state_dir)
        results.append(_compare(release.marts_path, path, table, grains[table], names, expected))
    return results


def _expected_rows(path: Path, data_dir: Path, work_dir: Path) -> tuple[list[tuple[Any, ...]], list[str]]:
    with connect_to_data(data_dir, work_dir) as connection:
        try:
            result = connection.execute(read_query(connection, path))
            return result.fetchall(), [column[0] for column in result.description or []]
        except duckdb.Error as error:
            raise MappingError(f"{path}: {error}") from error


def _compare(
    marts_path: Path, path: Path, table: str, grain: list[str], names: list[str], expected: list[tuple[Any, ...]]
) -> Comparison:
    if missing := [name for name in grain if name not in names]:
        raise MappingError(f"{path}: {table} has one row per {', '.join(grain)}; {', '.join(missing)} is missing")
    if not expected:
        raise MappingError(f"{path}: no rows, so that nothing would be compared")
    connection = duckdb.connect()
    try:
        attach(connection, marts_path, "marts", "read_only")
        schema, name = table.split(".")
        columns = ", ".join(quoted(column) for column in names)
        try:
            found = connection.execute(f"select {columns} from marts.{quoted(schema)}.{quoted(name)}").fetchall()
        except duckdb.Error as error:
            raise MappingError(f"{path}: {error}") from error
    finally:
        connection.close()
    keys = [names.index(column) for column in grain]
    values = [index for index in range(len(names)) if index not in keys]
    published = {tuple(row[index] for index in keys): row for row in found}
    examples: list[str] = []
    different = 0
    seen: set[tuple[Any, ...]] = set()
    for row in expected:
        key = tuple(row[index] for index in keys)
        shown = "/".join(str(part) for part in key)
        if key in seen:
            raise MappingError(f"{path}: {shown} is there twice")
        seen.add(key)
        if key not in published:
            wrong = ["is not published here"] if any(row[index] is not None for index in values) else []
        else:
            wrong = [
                f"{names[index]} {published[key][index]}, expected {row[index]}"
                for index in values
                if published[key][index] != row[index]
            ]
        different += len(wrong)
        examples += [f"{shown}: {text}" for text in wrong[: max(0, SHOWN - len(examples))]]
    return Comparison(table, len(expected), len(expected) * len(values), different, examples)


def _grains(company: Company) -> dict[str, list[str]]:
    """Grain of every published table, from the test that holds it."""
    manifest = read_manifest(company)
    grains = {}
    for node in manifest["nodes"].values():
        metadata = node.get("test_metadata") or {}
        if metadata.get("name") == "unique_combination_of_columns":
            model = manifest["nodes"].get(node["attached_node"] or "")
            if model and model["fqn"][1] == "marts":
                grains[f"{model['schema']}.{model['alias']}"] = list(metadata["kwargs"]["combination_of_columns"])
    return grains
