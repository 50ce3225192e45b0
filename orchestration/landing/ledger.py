"""The book of files: what was seen, what became of it, and in which order deliveries count."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace

import duckdb
import pyarrow as pa

from orchestration.landing.contract import Extract
from orchestration.landing.deliveries import Delivery


@dataclass(frozen=True)
class Entry:
    """One row of ``landing.files``. ``usable_row_count`` is None unless the content was read in full."""

    ledger_no: int
    file_name: str
    size_bytes: int
    status: str
    is_dated: bool
    mtime_ns: int
    seen_mtime_ns: int
    landed_at: dt.datetime
    file_id: str | None = None
    source_name: str | None = None
    extract_name: str | None = None
    content_hash: str | None = None
    format: str | None = None
    encoding: str | None = None
    reason: str | None = None
    row_count: int | None = None
    raw_row_count: int | None = None
    rejected_row_count: int | None = None
    usable_row_count: int | None = None
    extra_columns: list[str] | None = None
    delivered_at: dt.datetime | None = None
    delivery_key: str | None = None
    reading_hash: str | None = None

    @property
    def is_delivery(self) -> bool:
        """Whether its content was read in full, so that it has a place among the deliveries."""
        return self.usable_row_count is not None

    def is_outdated(self, extract: Extract) -> bool:
        """Whether the contract has changed in a way that may read this delivery otherwise."""
        if not self.is_delivery or self.reading_hash == extract.reading_hash:
            return False
        return (
            (self.reading_hash or "").partition("-")[0] != extract.reading_hash.partition("-")[0]
            or self.has_quarantine
            or bool(self.extra_columns)
        )

    @property
    def has_quarantine(self) -> bool:
        """Whether some of its rows do not fit the contract."""
        return (self.row_count or 0) > (self.usable_row_count or 0)

    def says_the_same(self, other: Entry) -> bool:
        """Whether two entries differ in number and time of writing only."""
        return replace(self, ledger_no=other.ledger_no, landed_at=other.landed_at) == other

    def delivery(self) -> Delivery:
        """The entry as a delivery; only for one that was read in full."""
        if self.content_hash is None or self.delivered_at is None or self.usable_row_count is None:
            raise ValueError(f"{self.file_name} was never read in full")
        return Delivery(
            self.file_name, self.content_hash, self.delivered_at, self.is_dated, self.mtime_ns, self.usable_row_count
        )


_TYPES: dict[str, pa.DataType] = {
    "ledger_no": pa.int64(), "size_bytes": pa.int64(), "is_dated": pa.bool_(), "mtime_ns": pa.int64(),
    "seen_mtime_ns": pa.int64(), "landed_at": pa.timestamp("us"), "row_count": pa.int64(), "raw_row_count": pa.int64(),
    "rejected_row_count": pa.int64(), "usable_row_count": pa.int64(), "extra_columns": pa.list_(pa.string()),
    "delivered_at": pa.timestamp("us"),
}  # fmt: skip
_SCHEMA = pa.schema([(f.name, _TYPES.get(f.name, pa.string())) for f in fields(Entry)])
_NAMES = ", ".join(_SCHEMA.names)


class Ledger:
    """All entries in memory, written through to ``landing.files`` within the caller's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        rows = connection.execute(f"select {_NAMES} from landing.files order by ledger_no").fetchall()
        self._entries = {row[0]: Entry(*row) for row in rows}
        self._next = max(self._entries, default=0) + 1
        self._index()

    def _index(self) -> None:
        self._names: dict[str, list[int]] = {}
        self._contents: dict[tuple[str | None, str | None, str | None], list[int]] = {}
        for entry in self._entries.values():
            self._names.setdefault(entry.file_name, []).append(entry.ledger_no)
            if entry.is_delivery:
                self._contents.setdefault((entry.source_name, entry.extract_name, entry.content_hash), []).append(
                    entry.ledger_no
                )

    def next_number(self) -> int:
        """A number for a new entry."""
        self._next += 1
        return self._next - 1

    def all(self) -> Iterable[Entry]:
        """Every entry, oldest first."""
        return self._entries.values()

    def of_extract(self, extract: Extract) -> list[Entry]:
        """Entries of one extract, oldest first."""
        return [e for e in self._entries.values() if (e.source_name, e.extract_name) == (extract.source, extract.name)]

    def of_name(self, file_name: str) -> list[Entry]:
        """Entries of one file name, oldest first."""
        return [self._entries[number] for number in self._names.get(file_name, [])]

    def content(self, extract: Extract, content_hash: str) -> Entry | None:
        """A delivery of this content to this extract, where there was one."""
        numbers = self._contents.get((extract.source, extract.name, content_hash), [])
        return self._entries[numbers[0]] if numbers else None

    def write(self, entries: Iterable[Entry]) -> None:
        """Insert new entries and replace changed ones; ``remember`` them once the transaction has committed."""
        written = list(entries)
        if not written:
            return
        if known := [e.ledger_no for e in written if e.ledger_no in self._entries]:
            self._connection.execute("delete from landing.files where list_contains(?, ledger_no)", [known])
        table = pa.Table.from_pylist([asdict(e) for e in written], schema=_SCHEMA)
        self._connection.register("ledger_entries", table)
        self._connection.execute(f"insert into landing.files by name select {_NAMES} from ledger_entries")
        self._connection.unregister("ledger_entries")

    def remember(self, entries: Iterable[Entry], forgotten: Iterable[int] = ()) -> None:
        """Take over what the transaction has committed."""
        for number in forgotten:
            self._entries.pop(number, None)
        for entry in entries:
            self._entries[entry.ledger_no] = entry
        self._index()

    def forget(self, numbers: list[int]) -> None:
        """Delete entries (of files that wait no longer) from the table."""
        if numbers:
            self._connection.execute("delete from landing.files where list_contains(?, ledger_no)", [numbers])

    def fingerprint(self) -> str:
        """See ``LandingReport.content_fingerprint``."""
        landed = sorted(
            (e.source_name or "", e.extract_name or "", e.delivery_key or "", e.file_id or "", e.reading_hash or "")
            for e in self._entries.values()
            if e.status == "landed"
        )
        content = [(source, extract, file_id, reading) for source, extract, _, file_id, reading in landed]
        return hashlib.sha256(repr(content).encode()).hexdigest()
