"""The warehouse file: opening it, and the tables that landing owns in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.landing.contract import Contract, Extract
from orchestration.landing.errors import LandingError
from orchestration.sql_text import literal, quoted

STORAGE_VERSION = "v1.4.0"
MEMORY_LIMIT = "1GB"
# A DuckDB file begins with three headers of a page each.
_HEADERS_BYTES = 3 * 4096

FILES_DDL = """
create table if not exists landing.files (
    ledger_no bigint not null,
    file_id varchar,
    source_name varchar,
    extract_name varchar,
    file_name varchar not null,
    content_hash varchar,
    size_bytes bigint not null,
    format varchar,
    encoding varchar,
    status varchar not null,
    reason varchar,
    row_count bigint,
    raw_row_count bigint,
    rejected_row_count bigint,
    usable_row_count bigint,
    extra_columns varchar[],
    delivered_at timestamp,
    delivery_key varchar,
    is_dated boolean not null,
    mtime_ns bigint not null,
    seen_mtime_ns bigint not null,
    reading_hash varchar,
    landed_at timestamp not null
)
"""
REJECTED_DDL = """
create table if not exists landing.rejected_rows (
    file_id varchar not null,
    source_name varchar not null,
    extract_name varchar not null,
    file_name varchar not null,
    line_no bigint not null,
    column_name varchar,
    reason_code varchar not null,
    reason varchar not null,
    raw_text varchar not null,
    record_key varchar,
    cells varchar,
    released_at timestamp
)
"""


def raw_table(extract: Extract) -> str:
    """Qualified name of the extract's table."""
    return f"raw.{quoted(extract.table)}"


def held_table(extract: Extract) -> str:
    """Qualified name of the table that keeps the rows of a refused full list."""
    return f"landing.{quoted('held__' + extract.table)}"


@contextmanager
def open_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse file, created where there is none; closed (and checkpointed) at the end.

    Raises:
        LandingError: locked by another process, not a DuckDB file, or the disk is full.

    """
    connection = duckdb.connect()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Salaries, contact data and who answered what: the owner's alone, with all that the pipeline keeps beside it.
        path.parent.chmod(0o700)
        connection.execute("set enable_progress_bar = false")
        # A big file must not take the machine: beyond this, what was not committed yet waits on disk, beside the warehouse.
        connection.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
        connection.execute(f"set temp_directory = {literal(str(path.parent / 'spill'))}")
        # Stores write order only where it is asked for: with insertion order kept, bulk loads leave partial row groups behind.
        connection.execute("set preserve_insertion_order = false")
        # The catalog takes the file's own name, as it does in every other program that opens the file.
        if _is_unborn(path):
            path.unlink()
        version = "" if path.exists() else f" (storage_version {literal(STORAGE_VERSION)})"
        connection.execute(f"attach {literal(str(path))} as warehouse_file{version}")
        connection.execute("use warehouse_file")
        yield connection
        connection.execute("use memory")
        connection.execute("detach warehouse_file")
    except OSError as error:
        raise LandingError(f"{path}: {error.strerror or error}") from error
    except duckdb.Error as error:
        raise LandingError(f"{path}: {_explain(error)}") from error
    finally:
        connection.close()


def _is_unborn(path: Path) -> bool:
    """Whether a crash left the file before its headers were complete: nothing can have been committed to it yet."""
    if not path.is_file() or path.stat().st_size >= _HEADERS_BYTES:
        return False
    content = path.read_bytes()
    return not content.strip(b"\0") or content[8:12] == b"DUCK"


def _explain(error: duckdb.Error) -> str:
    text = str(error)
    if "No space left" in text or "Out of space" in text:
        return f"the disk is full; nothing is half in, free some space and run again ({text.splitlines()[0]})"
    if "Could not set lock" in text:
        return f"another process has the warehouse open ({text.splitlines()[0]})"
    return text


def create_tables(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Create whatever is missing, a contract's new columns included.

    Raises:
        LandingError: a raw column has another type than the contract.

    """
    connection.execute("begin")
    connection.execute("create schema if not exists raw")
    connection.execute("create schema if not exists landing")
    connection.execute(FILES_DDL)
    connection.execute(REJECTED_DDL)
    for extract in contract.extracts.values():
        tables = [raw_table(extract)] + ([held_table(extract)] if extract.mode == "snapshot" else [])
        for table in tables:
            connection.execute(f"create table if not exists {table} ({_columns_ddl(extract)})")
    _follow_contract(connection, contract)
    connection.execute("commit")


def wanted_columns(extract: Extract) -> dict[str, str]:
    """The columns of the extract's table and their types in SQL, landing's own last."""
    columns = {column.name: column.data_type.sql for column in extract.columns}
    return columns | {
        "_file_id": "varchar",
        "_line_no": "bigint",
        "_delivered_at": "timestamp",
        "_delivery_key": "varchar",
    }


def _columns_ddl(extract: Extract) -> str:
    return ", ".join(f"{quoted(name)} {data_type}" for name, data_type in wanted_columns(extract).items())


def _follow_contract(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "select schema_name, table_name, column_name, lower(data_type) from duckdb_columns() "
        "where database_name = 'warehouse_file' and schema_name in ('raw', 'landing')"
    ).fetchall():
        found.setdefault((schema, table), {})[column] = data_type
    for extract in contract.extracts.values():
        for schema, table in (("raw", extract.table), ("landing", f"held__{extract.table}")):
            present = found.get((schema, table))
            if present is None:
                continue
            for name, data_type in wanted_columns(extract).items():
                if name not in present:
                    connection.execute(f"alter table {schema}.{quoted(table)} add column {quoted(name)} {data_type}")
                elif present[name] != data_type:
                    raise LandingError(
                        f"{schema}.{table}.{name} holds {present[name]}, and the contract now says {data_type} "
                        f"({extract.column(name).place}): land into a new warehouse file, the extracts are all still there"
                    )
