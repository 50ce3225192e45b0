"""Takes erased customers out of the warehouse file, by writing a new one: deleted rows stay readable in an old one's blocks.

Only what landing wrote is carried over. Everything else in the file is computed from it, and the night that follows does.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.erasure.register import Erasures
from orchestration.landing.contract import Contract, Extract, Person
from orchestration.landing.readers import Rejection
from orchestration.landing.scrub import CASE_KEY, ERASED_TEXT, Scrubber
from orchestration.landing.warehouse import create_tables, held_table, open_warehouse, raw_table
from orchestration.publishing.files import sync_file, sync_folder
from orchestration.sql_text import attach, literal, quoted

_BATCH = 50_000
_RENAMED: tuple[Person, ...] = ("customer", "device", "identifier")
_ERASED = "(select name from erased_customers)"


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


def left_over(connection: duckdb.DuckDBPyConnection, contract: Contract, erasures: Erasures) -> int:
    """Texts of erased customers that landed before anything said whose they are."""
    responses, texts = responses_of(connection, contract, erasures.customers), 0
    _list(connection, "erased_responses", responses)
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


def is_applied(connection: duckdb.DuckDBPyConnection, erasures: Erasures) -> bool:
    """Whether the file was written without exactly these customers."""
    there = connection.execute(
        "select 1 from duckdb_tables() where database_name = current_database() and schema_name = 'landing' "
        "and table_name = 'erasures_applied'"
    ).fetchall()
    if not there:
        return False
    return connection.execute("select fingerprint from landing.erasures_applied").fetchall() == [
        (erasures.fingerprint,)
    ]


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
        LandingError: the disk is full, or another process has the file open.

    """
    new = path.with_name(f"{path.name}.erasing")
    for leftover in (new, new.with_name(f"{new.name}.wal")):
        leftover.unlink(missing_ok=True)
    with open_warehouse(new) as connection:
        create_tables(connection, contract)
        attach(connection, path, "old_warehouse", "read_only")
        connection.execute("create or replace temp table renamed (value varchar, name varchar)")
        _rename(connection, contract, erasures)
        responses = _responses_in_old(connection, contract, erasures)
        scrubber = Scrubber(erasures, responses)
        for extract in contract.extracts.values():
            for table in [raw_table(extract)] + ([held_table(extract)] if extract.mode == "snapshot" else []):
                _copy(connection, extract, table)
            if progress is not None and extract.of_person("customer"):
                progress(f"{extract.full_name} written without the erased")
        _copy_books(connection, contract, scrubber)
        connection.execute("create table landing.erasures_applied (fingerprint varchar)")
        connection.execute("insert into landing.erasures_applied values (?)", [erasures.fingerprint])
        _copy_others(connection)
        connection.execute("detach old_warehouse")
    sync_file(new)
    os.replace(new, path)
    sync_folder(path.parent)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(path.parent / "spill", ignore_errors=True)


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
        for table in [raw_table(extract)] + ([held_table(extract)] if extract.mode == "snapshot" else []):
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


def _copy(connection: duckdb.DuckDBPyConnection, extract: Extract, table: str) -> None:
    there = _old_columns(connection, table)
    if not there:
        return
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
    connection.execute(f"insert into {table} by name select {', '.join(selected)} from old_warehouse.{table} as old")


def _copy_books(connection: duckdb.DuckDBPyConnection, contract: Contract, scrubber: Scrubber) -> None:
    # Changed in temporary tables: what was once written to the new file would stay in its blocks.
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
    for table in ("files", "rejected_rows"):
        connection.execute(f"insert into landing.{table} by name select * from book_of_{table}")


def _copy_others(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables of extracts that the contract no longer has: kept as they are."""
    known = {
        (row[0], row[1])
        for row in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }
    for schema, table in sorted(_old_tables(connection) - known):
        name = f"{quoted(schema)}.{quoted(table)}"
        connection.execute(f"create table {name} as select * from old_warehouse.{name}")
