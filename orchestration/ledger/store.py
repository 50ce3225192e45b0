"""The store: one SQLite file that only grows.

Every entry is chained to the one before it by hash; triggers refuse update and delete, and an insert that is not the next
entry. Large content (statements, policy, inputs) lies beside the entries under its own hash. An operation is one
transaction, forced to disk: killed at any moment it has happened or it has not.

The head of the chain is noted outside too, in ``head.json`` beside the file and in ``meta.publication`` of every
release: a chain whose end was cut off is whole in itself and is found by these.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.ledger.canonical import canonical_json, sha256_bytes
from orchestration.ledger.chain import GENESIS, Entry, Head, check_chain
from orchestration.ledger.errors import LedgerDamaged, LedgerError
from orchestration.publishing.files import sync_folder, write_durably
from orchestration.settings import Company

_FORM = 1
_BUSY_SECONDS = 60.0

# Written as SQLite keeps it, so that verification can compare. `insert or replace` deletes without firing delete
# triggers: the insert triggers keep it out.
SCHEMA = (
    """CREATE TABLE entries (
    sequence integer primary key,
    recorded_at text not null,
    kind text not null,
    actor text not null,
    body text not null,
    previous_hash text not null,
    entry_hash text not null unique
) strict""",
    """CREATE TABLE contents (
    sha256 text primary key,
    content blob not null
) strict""",
    """CREATE TRIGGER entries_are_appended before insert on entries
when new.sequence is not (select coalesce(max(sequence), 0) + 1 from entries)
    or new.previous_hash is not coalesce(
        (select entry_hash from entries order by sequence desc limit 1), '"""
    + GENESIS
    + """'
    )
begin select raise(abort, 'the ledger is append-only: not the next entry'); end""",
    """CREATE TRIGGER entries_are_not_changed before update on entries
begin select raise(abort, 'the ledger is append-only: an entry is never changed'); end""",
    """CREATE TRIGGER entries_are_not_deleted before delete on entries
begin select raise(abort, 'the ledger is append-only: an entry is never deleted'); end""",
    """CREATE TRIGGER contents_are_not_replaced before insert on contents
when exists (select 1 from contents where sha256 = new.sha256)
begin select raise(abort, 'the ledger is append-only: content is never replaced'); end""",
    """CREATE TRIGGER contents_are_not_changed before update on contents
begin select raise(abort, 'the ledger is append-only: content is never changed'); end""",
    """CREATE TRIGGER contents_are_not_deleted before delete on contents
begin select raise(abort, 'the ledger is append-only: content is never deleted'); end""",
)


def ledger_dir(company: Company) -> Path:
    """Beside the warehouse and the releases, not inside either: rebuilding or cleaning them does not touch it."""
    return company.data_dir / "ledger"


def ledger_path(company: Company) -> Path:
    """The SQLite file."""
    return ledger_dir(company) / "ledger.sqlite"


def head_path(company: Company) -> Path:
    """The note of the chain's end outside of it."""
    return ledger_dir(company) / "head.json"


def read_noted_head(company: Company) -> Head | None:
    """The head as noted beside the file; ``None`` before the first entry.

    Raises:
        LedgerDamaged: the note is not one.

    """
    path = head_path(company)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Head(int(content["sequence"]), str(content["entry_hash"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamaged(f"{path}: not a note of the ledger's head: {error}") from error


class Ledger:
    """An open ledger. Reading sees what was committed; writing happens inside ``writing``."""

    def __init__(self, company: Company, connection: sqlite3.Connection) -> None:
        self._company = company
        self._connection = connection

    def entries(self) -> list[Entry]:
        """All entries, oldest first."""
        rows = self._connection.execute(
            "select sequence, recorded_at, kind, actor, body, previous_hash, entry_hash from entries order by sequence"
        )
        return [Entry(*row) for row in rows]

    def head(self) -> Head:
        """The end of the chain."""
        row = self._connection.execute(
            "select sequence, entry_hash from entries order by sequence desc limit 1"
        ).fetchone()
        return Head(*row) if row else Head()

    def content(self, sha256: str) -> bytes:
        """Content by its hash, verified.

        Raises:
            LedgerDamaged: it is missing or is not what the hash says.

        """
        row = self._connection.execute("select content from contents where sha256 = ?", [sha256]).fetchone()
        if row is None:
            raise LedgerDamaged(f"content {sha256} is missing")
        try:
            content = zlib.decompress(row[0])
        except zlib.error as error:
            raise LedgerDamaged(f"content {sha256} was changed: {error}") from error
        if sha256_bytes(content) != sha256:
            raise LedgerDamaged(f"content {sha256} was changed")
        return content

    def schema_problems(self) -> list[str]:
        """What of the tables and triggers is missing or was changed, and what SQLite itself finds wrong in the file."""
        found = {row[0] for row in self._connection.execute("select sql from sqlite_master where sql is not null")}
        problems = [
            f"missing or changed: {statement.splitlines()[0]}" for statement in SCHEMA if statement not in found
        ]
        problems += [f"unknown: {statement.splitlines()[0]}" for statement in sorted(found - set(SCHEMA))]
        checked = [row[0] for row in self._connection.execute("pragma integrity_check")]
        return problems + [str(line) for line in checked if line != "ok"]

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction, alone: a second writer waits. What the block decides on, it reads inside."""
        self._connection.execute("begin immediate")
        try:
            check_chain(self.entries(), read_noted_head(self._company))
            yield Writing(self)
            self._connection.execute("commit")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise
        self._note_head()

    def _note_head(self) -> None:
        """Under the write lock, so that of two writers the later one's head stays."""
        self._connection.execute("begin immediate")
        try:
            head = self.head()
            write_durably(
                head_path(self._company),
                json.dumps({"sequence": head.sequence, "entry_hash": head.entry_hash}) + "\n",
            )
        finally:
            self._connection.execute("rollback")


class Writing:
    """What may be done inside a transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def append(self, kind: str, actor: str, body: dict[str, Any]) -> Entry:
        """Append the next entry."""
        head = self.ledger.head()
        draft = Entry(
            head.sequence + 1,
            datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
            kind,
            actor,
            canonical_json(body),
            head.entry_hash,
            "",
        )
        entry = Entry(**(draft.__dict__ | {"entry_hash": draft.computed_hash()}))
        self.ledger._connection.execute(
            "insert into entries (sequence, recorded_at, kind, actor, body, previous_hash, entry_hash) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            list(entry.__dict__.values()),
        )
        return entry

    def put(self, content: bytes) -> str:
        """Keep content under its hash; the same content is kept once."""
        sha256 = sha256_bytes(content)
        known = self.ledger._connection.execute("select 1 from contents where sha256 = ?", [sha256]).fetchone()
        if known is None:
            self.ledger._connection.execute(
                "insert into contents (sha256, content) values (?, ?)", [sha256, zlib.compress(content, 6)]
            )
        return sha256


def has_ledger(company: Company) -> bool:
    """Whether anything was ever written."""
    return ledger_path(company).is_file()


@contextmanager
def open_ledger(company: Company) -> Iterator[Ledger]:
    """Open the ledger, creating it before its first entry.

    Raises:
        LedgerError: the file cannot be opened or is of another form.

    """
    folder = ledger_dir(company)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        sync_folder(folder.parent)
    if not has_ledger(company) and read_noted_head(company) is not None:
        raise LedgerDamaged(f"{ledger_path(company)}: is missing; {head_path(company)} says that it had entries")
    try:
        with closing(_connect(ledger_path(company))) as connection:
            yield Ledger(company, connection)
    except sqlite3.Error as error:
        raise LedgerError(f"{ledger_path(company)}: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    old_mask = os.umask(0o077)
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        # A rollback journal, not a write-ahead log: one file is the ledger, also for whoever copies it.
        connection.execute("pragma journal_mode = delete")
        connection.execute("pragma synchronous = extra")
        connection.execute("pragma fullfsync = on")
        connection.execute("begin immediate")
        form = connection.execute("pragma user_version").fetchone()[0]
        if form == 0:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"pragma user_version = {_FORM}")
        elif form != _FORM:
            connection.execute("rollback")
            raise LedgerError(f"{path}: was written by another version of this software (form {form})")
        connection.execute("commit")
        return connection
    finally:
        os.umask(old_mask)
