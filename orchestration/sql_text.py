"""Text that becomes part of an SQL statement: names and strings, quoted in one place."""

from __future__ import annotations

from pathlib import Path

import duckdb


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
    """Attach a database file under a name; ``options`` is what stands in the parentheses, such as ``read_only``."""
    suffix = f" ({options})" if options else ""
    connection.execute(f"attach {literal(str(path))} as {quoted(name)}{suffix}")
