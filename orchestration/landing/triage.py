"""Which of the files found are news, judged by name, size and time alone, so that a night without news opens none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestration.landing.contract import Contract, Extract
from orchestration.landing.inventory import FoundFile
from orchestration.landing.ledger import Entry, Ledger


@dataclass
class Triage:
    """``news``: files to open, by extract. ``aside``: files that are not opened, with status and reason."""

    news: dict[tuple[str, str], list[FoundFile]] = field(default_factory=dict)
    aside: list[tuple[FoundFile, Extract | None, str, str]] = field(default_factory=list)


def sort_files(files: Sequence[FoundFile], ledger: Ledger, contract: Contract) -> Triage:
    """Part the files found into news, files to leave alone, and (unmentioned) those already decided about."""
    decided = {(e.file_name, e.size_bytes, e.seen_mtime_ns): e for e in ledger.all() if e.status != "waiting"}
    triage = Triage()
    for found in files:
        extract = contract.find(*found.folder) if found.folder else None
        if found.set_aside is not None:
            triage.aside.append((found, extract, "refused", found.set_aside))
        elif found.is_unfinished:
            triage.aside.append((found, extract, "waiting", "its name says that it is not finished"))
        elif extract is None:
            triage.aside.append((found, None, "refused", _no_extract(found, contract)))
        elif not _is_decided(decided.get((found.name, found.size_bytes, found.mtime_ns)), extract):
            triage.news.setdefault((extract.source, extract.name), []).append(found)
    return triage


def _is_decided(entry: Entry | None, extract: Extract) -> bool:
    """A file that another contract refused, or that this one may read otherwise, deserves another look."""
    if entry is None:
        return False
    return not entry.is_outdated(extract) if entry.is_delivery else entry.reading_hash == extract.reading_hash


def _no_extract(found: FoundFile, contract: Contract) -> str:
    known = ", ".join(sorted(e.full_name for e in contract.extracts.values()))
    place = "/".join(found.name.split("/")[:-1]) or "the extracts folder itself"
    return f"{place} is no folder of an extract; the contract knows {known}"


def aside_entry(
    found: FoundFile,
    extract: Extract | None,
    status: str,
    reason: str | None,
    *,
    ledger_no: int,
    now: dt.datetime,
    content_hash: str | None = None,
) -> Entry:
    """The ledger's entry for a file that is not taken in."""
    return Entry(
        ledger_no=ledger_no,
        file_name=found.name,
        size_bytes=found.size_bytes,
        status=status,
        is_dated=False,
        mtime_ns=found.mtime_ns,
        seen_mtime_ns=found.mtime_ns,
        landed_at=now,
        source_name=extract.source if extract else None,
        extract_name=extract.name if extract else None,
        file_id=content_hash,
        content_hash=content_hash,
        format=found.format,
        reason=reason,
        reading_hash=extract.reading_hash if extract else None,
    )
