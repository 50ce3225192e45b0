"""Turn a company's own files into extracts of the contract, one SQL query per extract.

A company whose systems deliver their own files has a folder ``mapping/<source>/<extract>.sql``. Each file is one
DuckDB ``select`` that reads the company's files below ``getvariable('data')``, names its columns as the contract does
and ends in a total ``order by``: the same files then give the same bytes, and landing sees nothing new on a night
without news.

Queries only read. They run in a memory database that can reach the data folder and a working folder, nothing else; what
they return is written here.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb

from orchestration.landing.contract import Extract
from orchestration.landing.contract_reader import SOURCES_PATTERN, read_contract
from orchestration.landing.errors import ContractError
from orchestration.settings import Company


class MappingError(Exception):
    """The mapping cannot run; the message names the file, and the column where one is at fault."""


def write_mapped_extracts(
    company: Company,
    data_dir: Path,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Run every ``mapping/<source>/<extract>.sql`` of ``company`` on ``data_dir`` and write what changed.

    All queries run before the first extract is replaced: a mapping that fails leaves the extracts of the night before
    as they were, never some of each.

    Returns:
        The extracts written, in the order of their names; empty where nothing changed.

    Raises:
        MappingError: no data folder or file, a query that fails or is not one ``select``, columns outside the contract.

    """
    report = progress or (lambda _: None)
    data_dir = data_dir.expanduser().resolve()
    if not data_dir.is_dir():
        raise MappingError(f"{data_dir}: data folder not found; it holds the files that {company.name} delivers")
    queries = _find_queries(company.folder / "mapping")

    # Beside the extracts, hence on their disk, so that moving a file into place is one atomic step; outside their
    # folder, so that landing never meets a file that is still being written. A killed run's leftovers go first.
    work_dir = company.state_dir / "mapping"
    shutil.rmtree(work_dir, ignore_errors=True)
    work_dir.mkdir(parents=True)
    try:
        mapped = []
        with connect_to_data(data_dir, work_dir) as connection:
            for (source, extract), (query_path, contract) in queries.items():
                result_path = work_dir / f"{source}__{extract}.csv"
                _run_query(connection, query_path, contract, result_path)
                mapped.append((result_path, company.extracts_dir / source / extract / f"{extract}.csv"))
        written = []
        for result_path, extract_path in mapped:
            changed = _replace_if_changed(result_path, extract_path)
            if changed:
                written.append(extract_path)
            report(f"{extract_path.relative_to(company.extracts_dir)}: {'written' if changed else 'unchanged'}")
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    return written


def _find_queries(mapping_dir: Path) -> dict[tuple[str, str], tuple[Path, Extract]]:
    """Every query with the contract of the extract it fills, in the order of their names."""
    paths = sorted(mapping_dir.glob("*/*.sql"))
    if not paths:
        raise MappingError(f"{mapping_dir}: no <source>/<extract>.sql in it")
    try:
        contracts = read_contract().extracts
    except ContractError as error:
        raise MappingError(str(error)) from error
    queries = {}
    for path in paths:
        extract = (path.parent.name, path.stem)
        if extract not in contracts:
            raise MappingError(f"{path}: the contract has no extract {'/'.join(extract)} ({SOURCES_PATTERN})")
        queries[extract] = (path, contracts[extract])
    return queries


def connect_to_data(data_dir: Path, work_dir: Path) -> duckdb.DuckDBPyConnection:
    """A memory database that reaches the two folders and no other file, and cannot be told otherwise by a query."""
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    connection.execute("set variable data = ?", [str(data_dir)])
    # A timestamp with time zone prints in the session's zone, by default that of the machine.
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set temp_directory = ?", [str(work_dir)])
    connection.execute("set allowed_directories = ?", [[str(data_dir), str(work_dir)]])
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def read_query(connection: duckdb.DuckDBPyConnection, query_path: Path) -> str:
    """The text of a query. It could write to the working folder and the data folder by a `copy`, hence nothing but one
    select.

    Raises:
        MappingError: it is something else.

    """
    statements = connection.extract_statements(query_path.read_text(encoding="utf-8"))
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise MappingError(f"{query_path}: must be one select statement")
    return statements[0].query


def _run_query(
    connection: duckdb.DuckDBPyConnection,
    query_path: Path,
    contract: Extract,
    result_path: Path,
) -> None:
    """Write the result of one query as CSV, after its columns have been held against the contract."""
    try:
        result = connection.sql(read_query(connection, query_path))
        _check_columns(query_path, contract, result)
        result.write_csv(str(result_path), header=True)
    except duckdb.Error as error:
        raise MappingError(f"{query_path}: {error}") from error


def _check_columns(query_path: Path, contract: Extract, result: duckdb.DuckDBPyRelation) -> None:
    """Every column in the contract and once, all required ones there, no amount as a float."""
    known = {column.name for column in contract.columns}
    for column, count in Counter(result.columns).items():
        if column not in known:
            raise MappingError(f"{query_path}: column {column} is not in the contract ({contract.place})")
        if count > 1:
            raise MappingError(f"{query_path}: column {column} is there {count} times")
    required = {column.name for column in contract.columns if column.required}
    if missing := sorted(required - set(result.columns)):
        raise MappingError(f"{query_path}: required column {', '.join(missing)} is missing ({contract.place})")
    for column, column_type in zip(result.columns, result.types, strict=True):
        if str(column_type) in {"FLOAT", "DOUBLE"}:
            raise MappingError(f"{query_path}: column {column} is a float, which is never exact; cast it to a decimal")


def _replace_if_changed(result_path: Path, extract_path: Path) -> bool:
    """Move the result into place where it differs; an unchanged extract keeps its file and its time."""
    if extract_path.is_file() and filecmp.cmp(result_path, extract_path, shallow=False):
        return False
    extract_path.parent.mkdir(parents=True, exist_ok=True)
    with result_path.open("rb") as result:
        os.fsync(result.fileno())
    os.replace(result_path, extract_path)
    return True
