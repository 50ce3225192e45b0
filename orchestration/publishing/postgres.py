"""A release in PostgreSQL: one transaction, and readers see the release before until it commits.

The tables are written into new schemas, which take the place of the old ones by renaming at the very end: a reader's query holds
locks on tables and none on the name of a schema, so that neither waits for the other. What was replaced is dropped afterwards,
as soon as nobody reads it any more.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.pay_file import attach_file
from orchestration.publishing.parquet import ExportError, tables_of
from orchestration.publishing.release import Release, verify_release
from orchestration.sql_text import literal, quoted

if TYPE_CHECKING:
    import psycopg

DEFAULT_PREFIX = "scorecard_"
_MARK = "customer scorecard, release "
_OLD = "__replaced"
_NEW = "__next"
_CHUNK = 1 << 20
# Two publications must not rename at once; any number that nobody else uses will do.
_ADVISORY_LOCK = 0x5C02ECA2D
_TYPES = {
    "VARCHAR": "text", "BOOLEAN": "boolean", "TINYINT": "smallint", "SMALLINT": "smallint", "INTEGER": "integer",
    "BIGINT": "bigint", "UTINYINT": "smallint", "USMALLINT": "integer", "UINTEGER": "bigint", "UBIGINT": "numeric(20)",
    "HUGEINT": "numeric(39)", "DOUBLE": "double precision", "FLOAT": "real", "DATE": "date", "TIME": "time",
    "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamptz", "UUID": "uuid",
}  # fmt: skip


@dataclass(frozen=True)
class Published:
    """What was written: rows by table, as ``schema.table`` of the database."""

    rows: dict[str, int]
    schemas_left: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    columns: tuple[tuple[str, str, str | None], ...]
    comment: str | None


def publish_to_postgres(
    release: Release, dsn: str, prefix: str = DEFAULT_PREFIX, *, payroll: bool = False
) -> Published:
    """Replace the schemas ``<prefix><schema>`` of a database by those of the release. Who may use the old ones may use the new.

    ``schemas_left`` are replaced schemas that a long query still reads; the next publication drops them.

    Raises:
        ExportError: nothing was changed.

    """
    import psycopg

    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,30}", prefix):
        raise ExportError(f"{prefix!r}: a prefix is made of small letters, digits and underscores")
    path = release.incentives_path if payroll else release.marts_path
    if not path.is_file():
        raise ExportError("there are no incentives yet")
    verify_release(release)
    try:
        with psycopg.connect(dsn, autocommit=False) as target, duckdb.connect() as source:
            attach_file(source, path, "release", "read_only")
            rows = _replace(source, target, release.release_id, prefix)
            target.commit()
        with psycopg.connect(dsn, autocommit=True) as target:
            left = _drop_replaced(target, prefix)
    except psycopg.Error as error:
        raise ExportError(f"nothing was published: {_plain(error)}") from None
    except duckdb.Error as error:
        raise ExportError(f"nothing was published: {error}") from error
    return Published(rows, left)


def _plain(error: psycopg.Error) -> str:
    """The message without connection strings: they may hold a password."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"password=\S+|://[^@\s]*@", "://...@", first)


def _replace(
    source: duckdb.DuckDBPyConnection, target: psycopg.Connection[Any], release_id: str, prefix: str
) -> dict[str, int]:
    tables = [_describe(source, schema, name) for schema, name in tables_of(source, "release")]
    schemas = sorted({table.schema for table in tables})
    rows: dict[str, int] = {}
    with target.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        for schema in schemas:
            _check_ours(cursor, f"{prefix}{schema}")
            _run(cursor, f"drop schema if exists {quoted(prefix + schema + _NEW)} cascade")
            _run(cursor, f"create schema {quoted(prefix + schema + _NEW)}")
        for table in tables:
            name = f"{quoted(prefix + table.schema + _NEW)}.{quoted(table.name)}"
            columns = ", ".join(f"{quoted(column)} {kind}" for column, kind, _ in table.columns)
            _run(cursor, f"create table {name} ({columns})")
            rows[f"{prefix}{table.schema}.{table.name}"] = _copy(source, cursor, table, name)
            if table.comment:
                _run(cursor, f"comment on table {name} is {literal(table.comment)}")
            for column, _, comment in table.columns:
                if comment:
                    _run(cursor, f"comment on column {name}.{quoted(column)} is {literal(comment)}")
        for schema in schemas:
            _swap(cursor, f"{prefix}{schema}", release_id)
    return rows


def _run(cursor: psycopg.Cursor[Any], statement: str) -> None:
    cursor.execute(statement.encode("utf-8"))


def _describe(source: duckdb.DuckDBPyConnection, schema: str, name: str) -> _Table:
    columns = source.execute(
        "select column_name, data_type, comment from duckdb_columns() "
        "where database_name = 'release' and schema_name = ? and table_name = ? order by column_index",
        [schema, name],
    ).fetchall()
    comment = source.execute(
        "select comment from duckdb_tables() where database_name = 'release' and schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchall()[0][0]
    return _Table(schema, name, tuple((c, _type_of(kind), text) for c, kind, text in columns), comment)


def _type_of(kind: str) -> str:
    """The column type; lists, structs and maps become JSON."""
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "numeric").lower()
    return _TYPES.get(kind, "jsonb")


def _copy(source: duckdb.DuckDBPyConnection, cursor: psycopg.Cursor[Any], table: _Table, name: str) -> int:
    """Rows as CSV from one engine to the other: both write an empty text as ``""`` and a null as nothing."""
    values = ", ".join(
        f"to_json({quoted(column)})" if kind == "jsonb" else quoted(column) for column, kind, _ in table.columns
    )
    # In a folder that only its owner enters: it may be pay.
    with tempfile.TemporaryDirectory(prefix="scorecard-") as folder:
        path = Path(folder) / "rows.csv"
        written = source.execute(
            f"copy (select {values} from release.{quoted(table.schema)}.{quoted(table.name)}) "
            f"to {literal(str(path))} (format csv, header false, nullstr '')"
        ).fetchall()[0][0]
        with cursor.copy(f"copy {name} from stdin (format csv)".encode()) as stream, path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                stream.write(chunk)
    if cursor.rowcount != written:
        raise ExportError(f"{name}: {written} rows in the release, {cursor.rowcount} arrived; nothing was published")
    return int(written)


def _check_ours(cursor: psycopg.Cursor[Any], schema: str) -> None:
    """Only what a publication made is replaced."""
    found = cursor.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", [schema]
    ).fetchall()
    if found and not str(found[0][0] or "").startswith(_MARK):
        raise ExportError(
            f"schema {schema} was not made by a publication: choose another prefix; nothing was published"
        )


def _swap(cursor: psycopg.Cursor[Any], schema: str, release_id: str) -> None:
    new, old = f"{schema}{_NEW}", f"{schema}{_OLD}"
    readers = cursor.execute(
        "select distinct pg_get_userbyid(acl.grantee) from pg_namespace, aclexplode(nspacl) as acl "
        "where nspname = %s and acl.privilege_type = 'USAGE' and acl.grantee <> 0 and acl.grantee <> nspowner",
        [schema],
    ).fetchall()
    for (reader,) in readers:
        _run(cursor, f"grant usage on schema {quoted(new)} to {quoted(reader)}")
        _run(cursor, f"grant select on all tables in schema {quoted(new)} to {quoted(reader)}")
    _run(cursor, f"comment on schema {quoted(new)} is {literal(_MARK + release_id)}")
    if cursor.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchall():
        taken = cursor.execute("select count(*) from pg_namespace where starts_with(nspname, %s)", [old]).fetchall()
        _run(cursor, f"alter schema {quoted(schema)} rename to {quoted(f'{old}_{taken[0][0]}_{release_id[-8:]}')}")
    _run(cursor, f"alter schema {quoted(new)} rename to {quoted(schema)}")


def _drop_replaced(target: psycopg.Connection[Any], prefix: str) -> tuple[str, ...]:
    """Drop replaced schemas that nobody reads; whoever reads one keeps it."""
    import psycopg

    left = []
    with target.cursor() as cursor:
        cursor.execute("set lock_timeout = '1s'")
        names = cursor.execute(
            "select nspname from pg_namespace where starts_with(nspname, %s) and position(%s in nspname) > 0 "
            "and starts_with(obj_description(oid, 'pg_namespace'), %s) order by nspname",
            [prefix, _OLD, _MARK],
        ).fetchall()
        for (name,) in names:
            try:
                _run(cursor, f"drop schema {quoted(name)} cascade")
            except psycopg.errors.LockNotAvailable:
                left.append(name)
    return tuple(left)
