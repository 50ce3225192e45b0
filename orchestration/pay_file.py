"""Opening files that may be encrypted: the pay file is, where a key is set.

The key comes from the environment alone. It is part of an SQL statement when a file is attached, so that errors are raised
again without what led to them. DuckDB reads an encrypted file by itself and needs OpenSSL, from the package
``duckdb-extension-httpfs``, to write one.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.sql_text import attach, literal, quoted

KEY_VARIABLE = "SCORECARD_PAY_KEY"
_SHORTEST_KEY = 32
_EXTENSION = f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"


class PayFileError(duckdb.Error):
    """The pay file cannot be opened or written; the message never holds the key."""


def pay_key() -> str | None:
    """The key, ``None`` where pay files are not encrypted.

    Raises:
        PayFileError: it is too short to protect anything.

    """
    key = os.environ.get(KEY_VARIABLE)
    if key is not None and len(key) < _SHORTEST_KEY:
        raise PayFileError(f"{KEY_VARIABLE} must have at least {_SHORTEST_KEY} characters")
    return key


def attach_new(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str) -> None:
    """Create and attach a pay file, encrypted where a key is set.

    Raises:
        PayFileError: this installation cannot encrypt.

    """
    key = pay_key()
    if key is None:
        attach(connection, path, name, options)
    else:
        _load_openssl(connection)
        _attach_with(connection, path, name, f"{options}, encryption_key {literal(key)}")


def attach_file(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
    """Attach a file that is there, with the key where it is encrypted.

    Raises:
        PayFileError: it is encrypted, and the key is missing or another one.

    """
    try:
        attach(connection, path, name, options)
        return
    except duckdb.CatalogException as error:
        if "without a key" not in str(error):
            raise
    key = pay_key()
    if key is None:
        raise PayFileError(f"{path}: is encrypted; set {KEY_VARIABLE}")
    if options != "read_only":
        _load_openssl(connection)
    _attach_with(connection, path, name, ", ".join(filter(None, (options, f"encryption_key {literal(key)}"))))


@contextmanager
def open_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a release's file, whether it is encrypted or not."""
    connection = duckdb.connect()
    try:
        attach_file(connection, path, "release", "read_only")
        connection.execute("use release")
        yield connection
    finally:
        connection.close()


def is_encrypted(path: Path) -> bool:
    """Whether a file opens with a key only."""
    with duckdb.connect() as connection:
        try:
            attach(connection, path, "file", "read_only")
        except duckdb.CatalogException as error:
            if "without a key" in str(error):
                return True
            raise
    return False


def encrypt(path: Path) -> None:
    """Replace a plain file by an encrypted one with the same content.

    Raises:
        PayFileError: this installation cannot encrypt.

    """
    new = path.with_name(f".{path.name}.encrypting")
    new.unlink(missing_ok=True)
    old_mask = os.umask(0o077)
    try:
        with duckdb.connect() as connection:
            attach(connection, path, "plain", "read_only")
            attach_new(connection, new, "encrypted", "storage_version 'v1.4.0'")
            connection.execute("copy from database plain to encrypted")
            connection.execute("detach encrypted")
    finally:
        os.umask(old_mask)
    os.replace(new, path)


def _attach_with(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str) -> None:
    try:
        connection.execute(f"attach {literal(str(path))} as {quoted(name)} ({options})")
    except duckdb.Error as error:
        reason = "the key is not the one it was written with" if "key" in str(error).lower() else type(error).__name__
        raise PayFileError(f"{path}: cannot be opened with the key of {KEY_VARIABLE}: {reason}") from None


def _load_openssl(connection: duckdb.DuckDBPyConnection) -> None:
    package = importlib.util.find_spec("duckdb_extension_httpfs")
    folders = list(package.submodule_search_locations or []) if package else []
    path = next((place for folder in folders if (place := Path(folder) / _EXTENSION).is_file()), None)
    if path is None:
        raise PayFileError(
            f"{KEY_VARIABLE} is set, and DuckDB {duckdb.__version__} cannot encrypt here: install the optional part "
            "'encryption' of this package, or unset the key"
        )
    connection.execute(f"load {literal(str(path))}")
