"""Takes erased customers out of the warehouse file, by writing a new one: deleted rows stay readable in an old one's blocks.

Only what landing wrote is carried over. Everything else in the file is computed from it, and the night that follows does.

DuckDB writes the unused ends of blocks as they lay in memory (duckdb/duckdb#23382). So no process that had a row of the erased
in DuckDB's memory writes anything that is kept: whatever reads such rows is called in a process of its own, which hands over
Parquet, and that holds values only.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from orchestration.apart import ProcessDied, apart
from orchestration.erasure.register import Erasures
from orchestration.landing.contract import Contract, Extract, Person
from orchestration.landing.errors import LandingError
from orchestration.landing.readers import Rejection
from orchestration.landing.scrub import CASE_KEY, ERASED_TEXT, Scrubber
from orchestration.landing.warehouse import create_tables, held_table, open_warehouse, raw_table, wanted_columns
from orchestration.publishing.files import sync_file, sync_folder
from orchestration.sql_text import attach, literal, quoted

P = ParamSpec("P")
R = TypeVar("R")

_BATCH = 50_000
_FOLDER = "erasing-"
_BOOKS = ("landing.files", "landing.rejected_rows")
_APPLIED = "landing.erasures_applied"
_RENAMED: tuple[Person, ...] = ("customer", "device", "identifier")
_ERASED = "(select name from erased_customers)"


@dataclass(frozen=True)
class Traces:
    """``unknown``: customers whom no delivered row names. ``names``: devices, networks, cards and hashes of all the others."""

    unknown: tuple[str, ...]
    names: frozenset[str]


def _apart(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    try:
        return apart(function, *arguments, **options)
    except ProcessDied as error:
        raise LandingError(f"erasing customers: {error}; nothing was changed") from error


def find_traces(path: Path, contract: Contract, customers: Sequence[str]) -> Traces:
    """What the warehouse holds of these customers beside their keys."""
    return _apart(_traces, path, contract, customers)


def _traces(path: Path, contract: Contract, customers: Sequence[str]) -> Traces:
    with open_warehouse(path) as connection:
        create_tables(connection, contract)
        unknown = tuple(customer for customer in customers if not is_known(connection, contract, customer))
        names = devices_of(connection, contract, responses_of(connection, contract, customers))
        return Traces(unknown, names | identifiers_of(connection, contract, customers))


def responses_of(connection: duckdb.DuckDBPyConnection, contract: Contract, customers: Iterable[str]) -> frozenset[str]:
    """Ids of the responses of these customers: those that name one of them, and those that name nobody and are about an
    invitation or an order of one of them.
    """
    tables = {name: extract for extract in contract.extracts.values() if (name := extract.full_name)}
    responses, invitations, lines = (
        tables[name] for name in ("survey/responses", "survey/invitations", "sales/order_lines")
    )
    _list(connection, "erased_customers", customers)
    found = connection.execute(f"""
        select distinct response_id from {raw_table(responses)} where customer_id in {_ERASED}
        or customer_id is null and (
            invitation_id in (select invitation_id from {raw_table(invitations)} where customer_id in {_ERASED})
            or order_id in (select order_id from {raw_table(lines)} where customer_id in {_ERASED})
        )
    """).fetchall()
    return frozenset(row[0] for row in found)


def devices_of(connection: duckdb.DuckDBPyConnection, contract: Contract, responses: Iterable[str]) -> frozenset[str]:
    """Devices and networks that only these responses came from. One that others used too tells nobody's identity, and
    renaming it would change what the integrity screens see of the others.
    """
    _list(connection, "erased_responses", responses)
    devices: set[str] = set()
    for extract in contract.extracts.values():
        if extract.key[0] != "response_id":
            continue
        for name in extract.of_person("device"):
            column = quoted(name)
            found = connection.execute(f"""
                select {column} from {raw_table(extract)} where {column} is not null
                group by {column} having bool_and(response_id in (select name from erased_responses))
            """).fetchall()
            devices |= {row[0] for row in found}
    return frozenset(devices)


def identifiers_of(
    connection: duckdb.DuckDBPyConnection, contract: Contract, customers: Iterable[str]
) -> frozenset[str]:
    """Cards and hashes that lead to these customers: those on their own rows, and the hash of each contact they gave."""
    _list(connection, "erased_customers", customers)
    found: set[str] = set()
    for extract in contract.extracts.values():
        rows = " or ".join(f"{quoted(name)} in {_ERASED}" for name in extract.of_person("customer"))
        values = [quoted(name) for name in extract.of_person("identifier")]
        values += [f"sha256(lower(trim({quoted(name)})))" for name in extract.of_person("contact")]
        for value in values if rows else ():
            query = f"select distinct {value} from {raw_table(extract)} where ({rows}) and {value} is not null"
            found |= {row[0] for row in connection.execute(query).fetchall()}
    return frozenset(found)


def is_known(connection: duckdb.DuckDBPyConnection, contract: Contract, customer: str) -> bool:
    """Whether any delivered row, refused ones included, names the customer."""
    for extract in contract.extracts.values():
        for name in extract.of_person("customer"):
            query = f"select 1 from {raw_table(extract)} where {quoted(name)} = ? limit 1"
            if connection.execute(query, [customer]).fetchall():
                return True
    refused = connection.execute(
        "select 1 from landing.rejected_rows where contains(cells, ?) limit 1",
        [json.dumps(customer, ensure_ascii=False)],
    )
    return bool(refused.fetchall())


def left_over(path: Path, contract: Contract, erasures: Erasures) -> int:
    """Texts of erased customers that landed before anything said whose they are."""
    return _apart(_left_over, path, contract, erasures)


def _left_over(path: Path, contract: Contract, erasures: Erasures) -> int:
    texts = 0
    with open_warehouse(path) as connection:
        _list(connection, "erased_responses", responses_of(connection, contract, erasures.customers))
        for extract in contract.extracts.values():
            for name in extract.of_person("text"):
                query = f"""
                    select count(*) from {raw_table(extract)}
                    where {quoted(name)} <> {literal(ERASED_TEXT)}
                    and {response_named(extract)} in (select name from erased_responses)
                """
                texts += int(connection.execute(query).fetchall()[0][0])
    return texts


def response_named(extract: Extract, alias: str = "") -> str:
    """The response that a row with free text is about: its key, or what stands before the question in that of a case."""
    key = f"{alias}{quoted(extract.key[0])}"
    return f"regexp_replace({key}, ':[^:]*$', '')" if extract.key[0] == CASE_KEY else key


def is_applied(path: Path, erasures: Erasures) -> bool:
    """Whether the file was written without exactly these customers."""
    return _apart(_is_applied, path, erasures)


def _is_applied(path: Path, erasures: Erasures) -> bool:
    with open_warehouse(path) as connection:
        there = connection.execute(
            "select 1 from duckdb_tables() where database_name = current_database() "
            f"and schema_name || '.' || table_name = {literal(_APPLIED)}"
        ).fetchall()
        if not there:
            return False
        return connection.execute(f"select fingerprint from {_APPLIED}").fetchall() == [(erasures.fingerprint,)]


def _list(connection: duckdb.DuckDBPyConnection, table: str, names: Iterable[str]) -> None:
    connection.execute(f"create or replace temp table {table} (name varchar)")
    connection.register("listed_names", pa.table({"name": pa.array(sorted(names), pa.string())}))
    connection.execute(f"insert into {table} select name from listed_names")
    connection.unregister("listed_names")


def rewrite_warehouse(
    path: Path, contract: Contract, erasures: Erasures, progress: Callable[[str], None] | None = None
) -> None:
    """Replace the warehouse file by a new one without the erased customers; the old one stays until the new is complete.

    Raises:
        LandingError: the disk is full, another process has the file open, or one of the two processes was killed.

    """
    discard_half_done(path)
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=path.parent))
    try:
        files = _apart(_export, path, contract, erasures, folder)
        if progress is not None:
            progress(f"{len(files)} tables read without the erased")
        new = folder / path.name
        _apart(_build, new, contract, erasures, files)
        sync_file(new)
        os.replace(new, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(folder)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(path.parent / "spill", ignore_errors=True)


def discard_half_done(path: Path) -> None:
    """Remove what a rewriting that was killed left beside the warehouse file."""
    for leftover in path.parent.glob(f"{_FOLDER}*"):
        shutil.rmtree(leftover)


def _export(path: Path, contract: Contract, erasures: Erasures, folder: Path) -> dict[str, Path]:
    """Write what landing holds, without the erased, into ``folder``; a Parquet file for each table."""
    files: dict[str, Path] = {}

    def write(table: str, query: str) -> None:
        files[table] = folder / f"{len(files)}.parquet"
        connection.execute(f"copy ({query}) to {literal(str(files[table]))} (format parquet)")

    with open_warehouse(folder / "reading.duckdb") as connection:
        attach(connection, path, "old_warehouse", "read_only")
        connection.execute("create or replace temp table renamed (value varchar, name varchar)")
        _rename(connection, contract, erasures)
        scrubber = Scrubber(erasures, _responses_in_old(connection, contract, erasures))
        for extract in contract.extracts.values():
            for table in _tables(extract):
                # What the contract no longer names cannot be told to be free of them.
                wanted = wanted_columns(extract)
                if there := [name for name in _old_columns(connection, table) if name in wanted]:
                    write(table, _rows_without_erased(extract, table, there))
        for book, query in _books(connection, contract, scrubber).items():
            write(book, query)
        known = {table.replace('"', "") for table in files} | {_APPLIED}
        for schema, name in sorted(_old_tables(connection)):
            # Extracts that the contract no longer has: kept as they are.
            if f"{schema}.{name}" not in known:
                table = f"{quoted(schema)}.{quoted(name)}"
                write(table, f"select * from old_warehouse.{table}")
        connection.execute("detach old_warehouse")
    return files


def _build(new: Path, contract: Contract, erasures: Erasures, files: Mapping[str, Path]) -> None:
    """The new warehouse file from what ``_export`` wrote."""
    with open_warehouse(new) as connection:
        create_tables(connection, contract)
        owned = {*_BOOKS, *(table for extract in contract.extracts.values() for table in _tables(extract))}
        for table, file in files.items():
            rows = f"from read_parquet({literal(str(file))})"
            connection.execute(
                f"insert into {table} by name {rows}" if table in owned else f"create table {table} as {rows}"
            )
        connection.execute(f"create table {_APPLIED} (fingerprint varchar)")
        connection.execute(f"insert into {_APPLIED} values (?)", [erasures.fingerprint])


def _tables(extract: Extract) -> list[str]:
    return [raw_table(extract)] + ([held_table(extract)] if extract.mode == "snapshot" else [])


def _old_tables(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old_warehouse' "
        "and schema_name in ('raw', 'landing')"
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


def _old_columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'old_warehouse' "
        "and schema_name || '.' || table_name = ? order by column_index",
        [table.replace('"', "")],
    ).fetchall()
    return [row[0] for row in rows]


def _rename(connection: duckdb.DuckDBPyConnection, contract: Contract, erasures: Erasures) -> None:
    """Fill ``renamed``: every delivered key or device of an erased customer, with its pseudonym."""
    names: dict[str, str] = {}
    for extract in contract.extracts.values():
        for table in _tables(extract):
            there = set(_old_columns(connection, table))
            for column in {n for kind in _RENAMED for n in extract.of_person(kind)} & there:
                values = connection.execute(
                    f"select distinct {quoted(column)} from old_warehouse.{table} where {quoted(column)} is not null"
                )
                while chunk := values.fetchmany(_BATCH):
                    names |= {value: name for (value,) in chunk if (name := erasures.name_of(value))}
    connection.register("found_names", pa.table({"value": list(names), "name": list(names.values())}, _NAMES_SCHEMA))
    connection.execute("insert into renamed select value, name from found_names")
    connection.unregister("found_names")


_NAMES_SCHEMA = pa.schema([("value", pa.string()), ("name", pa.string())])


def _responses_in_old(connection: duckdb.DuckDBPyConnection, contract: Contract, erasures: Erasures) -> frozenset[str]:
    """``responses_of`` in the file that still has the customers' own keys, or their pseudonyms of an earlier erasure."""
    own = {row[0] for row in connection.execute("select value from renamed").fetchall()}
    catalog = connection.execute("select current_database()").fetchall()[0][0]
    connection.execute("use old_warehouse")
    try:
        responses = responses_of(connection, contract, own | erasures.customers)
        _list(connection, "erased_responses", responses)
    finally:
        connection.execute(f"use {quoted(catalog)}")
    return responses


def _rows_without_erased(extract: Extract, table: str, there: Sequence[str]) -> str:
    erased_row = [f"{quoted(name)} in (select value from renamed)" for name in extract.of_person("customer")]
    selected = []
    for name in there:
        column, old = quoted(name), f"old.{quoted(name)}"
        person = next((c.person for c in extract.columns if c.name == name), None)
        if person in _RENAMED:
            old = f"coalesce((select name from renamed where value = {old}), {old})"
        elif person == "contact" and erased_row:
            old = f"case when {' or '.join(erased_row)} then null else {old} end"
        elif person == "text":
            is_theirs = f"{response_named(extract, 'old.')} in (select name from erased_responses)"
            old = f"case when {old} is not null and {is_theirs} then {literal(ERASED_TEXT)} else {old} end"
        selected.append(f"{old} as {column}")
    return f"select {', '.join(selected)} from old_warehouse.{table} as old"


def _books(connection: duckdb.DuckDBPyConnection, contract: Contract, scrubber: Scrubber) -> dict[str, str]:
    """The books of landing without the erased: the query for each."""
    for table in ("files", "rejected_rows"):
        connection.execute(
            f"create or replace temp table book_of_{table} as select * from old_warehouse.landing.{table}"
        )
    for file_no, reason in connection.execute(
        "select ledger_no, reason from book_of_files where reason is not null"
    ).fetchall():
        if (said := scrubber.text(reason)) != reason:
            connection.execute("update book_of_files set reason = ? where ledger_no = ?", [said, file_no])
    rows = connection.execute(
        "select rowid, source_name, extract_name, line_no, column_name, reason_code, reason, raw_text, record_key, cells "
        "from book_of_rejected_rows"
    ).fetchall()
    changed: list[list[Any]] = []
    for row_id, source, name, line_no, column, code, reason, raw_text, key, cells in rows:
        extract = contract.find(source, name)
        if extract is None:
            continue
        before = Rejection(line_no, column, code, reason, raw_text, None if cells is None else json.loads(cells))
        after = scrubber.rejection(extract, before)
        if after != before:
            text = None if after.cells is None else json.dumps(after.cells, ensure_ascii=False)
            changed.append([after.message, after.raw_text, key and scrubber.text(key), text, row_id])
    if changed:
        connection.executemany(
            "update book_of_rejected_rows set reason = ?, raw_text = ?, record_key = ?, cells = ? where rowid = ?",
            changed,
        )
    return {book: f"select * from book_of_{book.removeprefix('landing.')}" for book in _BOOKS}
