"""One landing: find what is new, take it in, decide what stands in ``raw``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from orchestration.erasure.register import read_erasures
from orchestration.landing.contract import Contract, Extract
from orchestration.landing.contract_reader import read_contract
from orchestration.landing.deliveries import delivered_at, delivery_key
from orchestration.landing.erased import responses_of
from orchestration.landing.errors import NeedsStrictReader, Refused, Waiting
from orchestration.landing.incoming import FileFailed, Incoming, unreadable
from orchestration.landing.inventory import FoundFile, list_files
from orchestration.landing.ledger import Entry, Ledger
from orchestration.landing.load import load
from orchestration.landing.opening import content_hash
from orchestration.landing.placing import apply_placements
from orchestration.landing.readers import read_file
from orchestration.landing.rejections import write_rejections
from orchestration.landing.release import Place, clear_rows, keep_refused, release_stored_rows
from orchestration.landing.report import LandingReport, build_report
from orchestration.landing.scrub import Scrubber
from orchestration.landing.triage import aside_entry, sort_files
from orchestration.landing.warehouse import create_tables, open_warehouse
from orchestration.settings import Company

# Files up to this size are read before their transaction begins, so that a bad one never spoils a batch of good ones.
_PRELOAD_BYTES = 8 << 20
_PRELOAD_PACKED_BYTES = 1 << 20
_BATCH_BYTES = 48 << 20
_BATCH_FILES = 400


def land(
    company: Company,
    progress: Callable[[str], None] | None = None,
    *,
    warehouse: Path | None = None,
    wanted: Callable[[FoundFile], bool] | None = None,
) -> LandingReport:
    """Land every new file below ``company.extracts_dir`` into ``company.warehouse_path``, or into another ``warehouse``.

    Files that are refused or wait do not stop the others. ``progress`` is told one line per batch of files. ``wanted``
    leaves files out as if they were not there yet: what a refresh within the day does not take, what came after a night.

    Raises:
        ContractError: the contract or the company's ``headers.yml`` is wrong.
        LandingError: the warehouse cannot be written (disk full, locked by another process), or customers were erased and
            the key to recognise them is missing.

    """
    contract = read_contract(company.headers_path, deliveries_path=company.deliveries_path)
    erasures = read_erasures(company)
    with open_warehouse(warehouse or company.warehouse_path) as connection:
        create_tables(connection, contract)
        run = _Run(connection, contract, ZoneInfo(company.time_zone), progress, Scrubber(erasures))
        return run.land([found for found in list_files(company.extracts_dir) if wanted is None or wanted(found)])


class _Run:
    """The state of one landing; every transaction leaves warehouse and ledger complete."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        zone: ZoneInfo,
        progress: Callable[[str], None] | None,
        scrubber: Scrubber,
    ) -> None:
        self._connection = connection
        self._contract = contract
        self._zone = zone
        self._progress = progress
        self._scrubber = scrubber
        self._ledger = Ledger(connection)
        self._now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        self._new: set[int] = set()
        # The time that a file was last seen with, by ledger number.
        self._touched: dict[int, int] = {}
        self._aside: list[Entry] = []
        self._kept: dict[str, str] = {}
        self._rows_released = 0

    def land(self, files: Sequence[FoundFile]) -> LandingReport:
        """The whole run over the files found."""
        triage = sort_files(files, self._ledger, self._contract)
        for found, extract, status, reason in triage.aside:
            self._set_aside(found, extract, status, reason)
        # Text comes last: whose it is must be known, so that what erased customers wrote stays out.
        for extract, news in sorted(
            ((self._contract.extracts[key], news) for key, news in triage.news.items()),
            key=lambda item: bool(item[0].of_person("text")),
        ):
            if extract.of_person("text") and self._scrubber.erasures.customers:
                responses = responses_of(self._connection, self._contract, self._scrubber.erasures.customers)
                self._scrubber = replace(self._scrubber, responses=responses)
            self._land_extract(extract, news)
        for extract in self._contract.extracts.values():
            self._adopt_contract(extract)
        self._write_aside({found.name for found in files})
        report = build_report(self._connection, self._ledger, files, self._new)
        return replace(
            report, rows_released=self._rows_released, problems=report.problems + tuple(sorted(self._kept.values()))
        )

    def _land_extract(self, extract: Extract, news: Sequence[FoundFile]) -> None:
        batch: list[Incoming] = []
        copies: list[Entry] = []
        size = 0
        for found in sorted(news, key=lambda f: (delivered_at(f.name, f.mtime_ns, extract, self._zone), f.name)):
            try:
                with unreadable():
                    digest = content_hash(found)
                known = self._ledger.content(extract, digest)
                is_again = known is not None and known.is_outdated(extract) and self._has_seen(found, digest)
                if not is_again and self._is_touched(found, digest):
                    continue
                if any(i.file_id == digest for i in batch) or (known is not None and not is_again):
                    if not self._has_seen(found, digest):
                        copies.append(self._entry(found, extract, digest))
                    continue
                with unreadable():
                    incoming = self._open(found, extract, digest)
            except (Refused, Waiting) as error:
                self._fail(found, extract, error)
                continue
            weight = _BATCH_BYTES if incoming.preloaded is None else found.size_bytes
            if batch and (size + weight > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
                self._take_in(extract, batch, copies)
                batch, copies, size = [], [], 0
            batch.append(incoming)
            size += weight
        if batch or copies:
            self._take_in(extract, batch, copies)

    def _has_seen(self, found: FoundFile, digest: str) -> bool:
        """Whether the ledger knows this very delivery: content, name and time."""
        return any(
            e.is_delivery and e.content_hash == digest and found.mtime_ns in (e.mtime_ns, e.seen_mtime_ns)
            for e in self._ledger.of_name(found.name)
        )

    def _fail(self, found: FoundFile, extract: Extract, error: Refused | Waiting, digest: str | None = None) -> None:
        """Set a file aside; one that was landed before and only the contract's change called up again keeps its rows."""
        landed = next(
            (
                e
                for e in self._ledger.of_name(found.name)
                if e.is_delivery and e.size_bytes == found.size_bytes and e.seen_mtime_ns == found.mtime_ns
            ),
            None,
        )
        if landed is None:
            self._set_aside(found, extract, _status(error), str(error), digest)
            return
        self._kept[landed.file_id or ""] = (
            f"{found.name}: its rows stay as an earlier contract read them, for the present one cannot: {error}"
        )

    def _is_touched(self, found: FoundFile, digest: str) -> bool:
        """The last content seen under this name, only with another time of the file: no delivery of its own."""
        versions = [e for e in self._ledger.of_name(found.name) if e.is_delivery]
        last = max(versions, key=lambda e: e.mtime_ns, default=None)
        if last is None or last.content_hash != digest:
            return False
        self._touched[last.ledger_no] = found.mtime_ns
        return True

    def _open(self, found: FoundFile, extract: Extract, digest: str) -> Incoming:
        moment, is_dated = delivered_at(found.name, found.mtime_ns, extract, self._zone)
        reading = read_file(found, extract)
        incoming = Incoming(found, digest, reading, moment, is_dated, delivery_key(moment, found.name))
        if self._scrubber.erasures.names:
            incoming.scrub = partial(self._scrubber.batch, extract)
        is_plain = found.format in ("csv", "tsv", "jsonl")
        if found.size_bytes <= (_PRELOAD_BYTES if is_plain else _PRELOAD_PACKED_BYTES):
            incoming.preload()
        return incoming

    def _take_in(self, extract: Extract, batch: list[Incoming], copies: list[Entry]) -> None:
        """One transaction: rows, quarantine, ledger, and what the new deliveries change about the old ones."""
        while True:
            self._connection.execute("begin")
            try:
                entries = self._load(extract, batch, copies)
                self._connection.execute("commit")
                break
            except NeedsStrictReader:
                self._connection.execute("rollback")
            except FileFailed as failure:
                self._connection.execute("rollback")
                failed, error = failure.incoming, failure.error
                batch = [incoming for incoming in batch if incoming is not failed]
                self._fail(failed.found, extract, error, failed.file_id)
        before = {e.ledger_no: e.status for e in self._ledger.of_extract(extract)}
        self._ledger.remember(entries)
        self._new |= {e.ledger_no for e in entries if before.get(e.ledger_no) != e.status}
        if self._progress is not None and batch:
            rows = sum(incoming.records for incoming in batch)
            self._progress(f"{extract.full_name}: {len(batch)} files, {rows:,} rows")

    def _load(self, extract: Extract, batch: list[Incoming], copies: list[Entry]) -> list[Entry]:
        again = {i.file_id: i for i in batch if self._ledger.content(extract, i.file_id)}
        released = 0
        if again:
            released += clear_rows(self._connection, extract, list(again.values()), self._now)
        if batch:
            load(self._connection, extract, batch, self._zone)
        if again:
            released -= keep_refused(self._connection, extract, list(again.values()), self._now)
        if batch:
            write_rejections(self._connection, extract, batch, self._scrubber.rejection)
        read = [self._entry(i.found, extract, i.file_id, i) for i in batch]
        contents = {e.content_hash: e for e in read}
        new = [e for e in read if e.file_id not in again]
        for copy in copies:
            original = contents.get(copy.content_hash) or self._ledger.content(extract, copy.content_hash or "")
            # The original of a copy may have failed while its batch was loaded; the next run then reads the copy itself.
            if original is not None:
                new.append(
                    replace(
                        copy,
                        encoding=original.encoding,
                        row_count=original.row_count,
                        usable_row_count=original.usable_row_count,
                        extra_columns=original.extra_columns,
                        reading_hash=original.reading_hash,
                    )
                )
        before = {e.ledger_no: e for e in self._ledger.of_extract(extract) if e.is_delivery}
        old = [_read_as(e, extract, contents[e.content_hash]) if e.file_id in again else e for e in before.values()]
        old = [self._redated(e, extract) for e in old]
        standing = [e for e in before.values() if e.status == "landed" and e.file_id not in again] + read
        decided = apply_placements(self._connection, extract, old + new, standing)
        changed = [e for e in decided if before.get(e.ledger_no) != e]
        self._ledger.write(changed)
        self._rows_released += released
        return changed

    def _redated(self, entry: Entry, extract: Extract) -> Entry:
        """The moment of delivery as the present contract tells it."""
        moment, is_dated = delivered_at(entry.file_name, entry.mtime_ns, extract, self._zone)
        return replace(entry, delivered_at=moment, is_dated=is_dated)

    def _adopt_contract(self, extract: Extract) -> None:
        """After a change of the contract: what it says of deliveries that need no second reading or whose file is gone."""
        before = {e.ledger_no: e for e in self._ledger.of_extract(extract) if e.is_delivery}
        changed_ids = {
            e.file_id: e
            for e in before.values()
            if e.reading_hash != extract.reading_hash and e.file_id is not None and e.file_id not in self._kept
        }
        if not changed_ids:
            return
        self._connection.execute("begin")
        released = {
            file_id: self._release_stored(extract, file_id, list(before.values()))
            for file_id, entry in changed_ids.items()
            if entry.has_quarantine
        }
        old = [
            replace(
                self._redated(e, extract),
                reading_hash=extract.reading_hash,
                usable_row_count=(e.usable_row_count or 0) + released.get(e.file_id or "", 0),
            )
            if e.file_id in changed_ids
            else self._redated(e, extract)
            for e in before.values()
        ]
        standing = [e for e in before.values() if e.status == "landed"]
        key_part = extract.reading_hash.partition("-")[0]
        rekeyed = {i for i, e in changed_ids.items() if (e.reading_hash or "").partition("-")[0] != key_part}
        decided = apply_placements(self._connection, extract, old, standing, rekeyed)
        changed = [e for e in decided if before[e.ledger_no] != e]
        self._ledger.write(changed)
        self._connection.execute("commit")
        self._ledger.remember(changed)
        self._new |= {e.ledger_no for e in changed if before[e.ledger_no].status != e.status}
        self._rows_released += sum(released.values())

    def _release_stored(self, extract: Extract, file_id: str, entries: Sequence[Entry]) -> int:
        mine = [e for e in entries if e.file_id == file_id and e.delivery_key and e.delivered_at]
        landed = [Place(e.delivery_key or "", e.delivered_at or self._now, True) for e in mine if e.status == "landed"]
        held = [Place(e.delivery_key or "", e.delivered_at or self._now, False) for e in mine[:1]]
        return release_stored_rows(self._connection, extract, file_id, landed or held, self._zone, self._now)

    def _entry(self, found: FoundFile, extract: Extract, digest: str, incoming: Incoming | None = None) -> Entry:
        moment, is_dated = delivered_at(found.name, found.mtime_ns, extract, self._zone)
        entry = aside_entry(
            found, extract, "new", None, ledger_no=self._ledger.next_number(), now=self._now, content_hash=digest
        )
        entry = replace(entry, is_dated=is_dated, delivered_at=moment, delivery_key=delivery_key(moment, found.name))
        if incoming is None:
            return entry
        return replace(
            entry,
            encoding=incoming.reading.encoding,
            row_count=incoming.records,
            usable_row_count=incoming.records - len(incoming.rejections),
            extra_columns=list(incoming.reading.extra_columns),
        )

    def _set_aside(
        self, found: FoundFile, extract: Extract | None, status: str, reason: str, digest: str | None = None
    ) -> None:
        number = self._ledger.next_number()
        reason = self._scrubber.text(reason)
        entry = aside_entry(found, extract, status, reason, ledger_no=number, now=self._now, content_hash=digest)
        if extract is not None:
            moment, is_dated = delivered_at(found.name, found.mtime_ns, extract, self._zone)
            entry = replace(entry, is_dated=is_dated, delivered_at=moment)
        self._aside.append(entry)

    def _write_aside(self, present: set[str]) -> None:
        """Replace what the ledger says of files that are not taken in; nothing is written where nothing changed."""
        outdated = {e.ledger_no for e in self._ledger.all() if e.status == "waiting" and e.file_name not in present}
        taken_in = {e.file_name for e in self._ledger.all() if e.ledger_no in self._new}
        outdated |= {
            e.ledger_no
            for e in self._ledger.all()
            if not e.is_delivery and e.file_name in taken_in and _may_go(e, None)
        }
        written: list[Entry] = []
        for entry in self._aside:
            earlier = [e for e in self._ledger.of_name(entry.file_name) if not e.is_delivery and _may_go(e, entry)]
            if len(earlier) == 1 and earlier[0].says_the_same(entry):
                continue
            outdated |= {e.ledger_no for e in earlier}
            written.append(entry)
        # What the run decided of them meanwhile stays: only the time is new.
        known = {e.ledger_no: e for e in self._ledger.all() if e.ledger_no in self._touched}
        written += [replace(known[number], seen_mtime_ns=seen) for number, seen in self._touched.items()]
        if written or outdated:
            self._connection.execute("begin")
            self._ledger.forget(list(outdated))
            self._ledger.write(written)
            self._connection.execute("commit")
            self._ledger.remember(written, outdated)


def _may_go(earlier: Entry, entry: Entry | None) -> bool:
    """Whether an entry of a file that was not taken in is overtaken: it waited, or it is about the same content."""
    return earlier.status == "waiting" or earlier.content_hash in (None, entry.content_hash if entry else None)


def _read_as(entry: Entry, extract: Extract, reading: Entry) -> Entry:
    """A known delivery whose content was read again."""
    return replace(
        entry,
        encoding=reading.encoding,
        row_count=reading.row_count,
        usable_row_count=reading.usable_row_count,
        extra_columns=reading.extra_columns,
        reading_hash=extract.reading_hash,
    )


def _status(error: Refused | Waiting) -> str:
    return "waiting" if isinstance(error, Waiting) else "refused"
