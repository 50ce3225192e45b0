"""One way to write a value and a table as text, so that equal content has equal bytes and equal hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.sql_text import quoted

_CHUNK = 50_000


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; decimals and dates as text.

    Raises:
        TypeError: a float anywhere in it. What is paid is never one.

    """
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"the ledger does not write a {type(value).__name__}: {value!r}")


def sha256_text(text: str) -> str:
    """Hex SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_bytes(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class TableText:
    """A table as text: columns with their types, and every cell as DuckDB writes it, in the order of the rows' text."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]

    def to_bytes(self) -> bytes:
        """One JSON array per line, the first one the columns."""
        lines = [canonical_json(self.columns), *sorted(canonical_json(row) for row in self.rows)]
        return ("\n".join(lines) + "\n").encode("utf-8")

    @staticmethod
    def from_bytes(content: bytes) -> TableText:
        """Read what ``to_bytes`` wrote."""
        # Not splitlines: a cell may hold any of the other characters that it takes for the end of a line.
        header, *lines = content.decode("utf-8").removesuffix("\n").split("\n")
        columns = tuple((name, kind) for name, kind in json.loads(header))
        return TableText(columns, tuple(tuple(json.loads(line)) for line in lines))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for name, _ in self.columns)

    def records(self) -> list[dict[str, str | None]]:
        """Every row by column name, all cells text."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


def read_table(connection: duckdb.DuckDBPyConnection, query: str, parameters: Iterable[Any] = ()) -> TableText:
    """The result of a query as text. Timestamps with a zone are written in UTC."""
    values = list(parameters)
    connection.execute("set TimeZone = 'UTC'")
    described = connection.execute(f"describe {query}", values).fetchall()
    columns = tuple((str(row[0]), str(row[1])) for row in described)
    cells = ", ".join(f"cast({quoted(name)} as varchar)" for name, _ in columns)
    result = connection.execute(f"select {cells} from ({query})", values)
    rows: list[tuple[str | None, ...]] = []
    while chunk := result.fetchmany(_CHUNK):
        rows += chunk
    return TableText(columns, tuple(rows))


def create_table(connection: duckdb.DuckDBPyConnection, target: str, table: TableText) -> None:
    """Create ``target`` (quoted by the caller) with the table's types and rows, in the order they were written."""
    connection.execute("set TimeZone = 'UTC'")
    definition = ", ".join(f"{quoted(name)} {kind}" for name, kind in table.columns)
    connection.execute(f"create or replace table {target} ({definition})")
    insert_rows(connection, target, table)


def insert_rows(
    connection: duckdb.DuckDBPyConnection, target: str, table: TableText, only: Iterable[str] | None = None
) -> None:
    """Insert the rows by column name; ``only`` names the columns that the target has."""
    wanted = set(table.names if only is None else only)
    positions = [index for index, (name, _) in enumerate(table.columns) if name in wanted]
    if not table.rows or not positions:
        return
    arrays = {f"c{index}": pa.array([row[index] for row in table.rows], type=pa.string()) for index in positions}
    names = ", ".join(quoted(table.columns[index][0]) for index in positions)
    cells = ", ".join(f"cast(c{index} as {table.columns[index][1]})" for index in positions)
    connection.register("ledger_rows", pa.table(arrays))
    try:
        connection.execute(f"insert into {target} ({names}) select {cells} from ledger_rows")
    finally:
        connection.unregister("ledger_rows")
