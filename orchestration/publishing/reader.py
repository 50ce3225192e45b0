"""A reader that can do nothing but read the release it opened: no other file, no network, no setting, no extension."""

from __future__ import annotations

from pathlib import Path

import duckdb

_LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
}


def open_locked_down(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection for people and for queries that came from elsewhere."""
    return duckdb.connect(str(path.resolve()), read_only=True, config=_LOCKED_DOWN)
