"""Recomputes the ledger: the chain entry by entry, the notes of its end, and the content under every hash."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ledger.chain import Entry, Head, check_chain
from orchestration.ledger.errors import LedgerDamaged
from orchestration.ledger.store import has_ledger, ledger_path, open_ledger, read_noted_head
from orchestration.publishing.candidate import MARTS_FILE
from orchestration.publishing.release import PublishRefused, refuse_logs
from orchestration.settings import Company


@dataclass(frozen=True)
class Verified:
    """What was found whole."""

    entries: int
    contents: int
    notes: int
    head: Head


def noted_in_releases(company: Company) -> Iterator[Head]:
    """The head that each release in place was built on.

    Raises:
        LedgerDamaged: a log beside a release would be read for its note.

    """
    for path in sorted((company.published_dir / "releases").glob(f"*/{MARTS_FILE}")):
        try:
            refuse_logs(path.parent)
        except PublishRefused as error:
            raise LedgerDamaged(str(error)) from error
        yield noted_in(path)


def noted_in(path: Path) -> Head:
    """The head that a marts file was built on; releases from before there was a ledger note none."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = [row[0] for row in connection.execute("describe meta.publication").fetchall()]
        if "ledger_entries" not in columns:
            return Head()
        row = connection.execute("select ledger_entries, ledger_head from meta.publication").fetchall()[0]
    return Head(int(row[0]), str(row[1]))


def contents_of(fields: Any) -> Iterator[str]:
    """Every content hash that a body names: the values of fields ending in ``_sha256``, at any depth."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name.endswith("_sha256") and isinstance(value, str):
                yield value
            else:
                yield from contents_of(value)
    elif isinstance(fields, list):
        for item in fields:
            yield from contents_of(item)


def verify_ledger(company: Company) -> Verified:
    """Verify everything: form, chain, notes of the head, and every content, also what a kept manifest names.

    Raises:
        LedgerDamaged: naming the first entry at fault.

    """
    where = str(ledger_path(company))
    notes = [note for note in (read_noted_head(company), *noted_in_releases(company)) if note is not None]
    if not has_ledger(company):
        if missing := next((note for note in notes if note.sequence), None):
            raise LedgerDamaged(f"{where}: is missing; entry {missing.sequence} was noted elsewhere")
        return Verified(0, 0, len(notes), Head())
    with open_ledger(company) as ledger:
        entries = ledger.entries()
        check_chain(entries, *notes, where=where)
        if problems := ledger.schema_problems():
            raise LedgerDamaged(f"{where}: {'; '.join(problems)}")
        checked: set[str] = set()
        for entry in entries:
            _check_contents(ledger.content, entry, checked, where)
        return Verified(len(entries), len(checked), len(notes), ledger.head())


def _check_contents(read: Callable[[str], bytes], entry: Entry, checked: set[str], where: str) -> None:
    def check(hashes: Iterable[str]) -> None:
        for sha256 in hashes:
            if sha256 in checked:
                continue
            try:
                read(sha256)
            except LedgerDamaged as error:
                raise LedgerDamaged(f"{where}: {entry}: {error}") from error
            checked.add(sha256)

    check(contents_of(entry.fields))
    if manifest := entry.fields.get("frozen_sha256"):
        check(json.loads(read(manifest)).values())
