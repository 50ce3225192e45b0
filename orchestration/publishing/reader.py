"""A reader that can do nothing but read the release it opened: no other file, no network, no setting, no extension."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.pay_file import attach_file

# In this order: what is locked cannot be set any more.
_LOCKED_DOWN = {
    "temp_directory": "''",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}


def open_locked_down(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection for people and for queries that came from elsewhere. The file is opened first, with the key where it is
    encrypted; then every door is shut.
    """
    connection = duckdb.connect()
    try:
        attach_file(connection, path.resolve(), "release", "read_only")
        connection.execute("use release")
        for name, value in _LOCKED_DOWN.items():
            connection.execute(f"set {name} = {value}")
    except duckdb.Error:
        connection.close()
        raise
    return connection
