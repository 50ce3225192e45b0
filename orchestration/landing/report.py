"""What one landing did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from orchestration.landing.inventory import FoundFile
from orchestration.landing.ledger import Entry, Ledger


@dataclass(frozen=True)
class LandingReport:
    """Counts of one run.

    ``files_seen``: all files below the extracts folder. ``files_landed``, ``files_duplicate``: decided in this run.
    ``files_refused``, ``files_waiting``: lie there refused or waiting now, whenever that was decided.
    ``rows_landed``, ``rows_quarantined``: of the files landed in this run, and ``rows_released`` from the quarantine.
    ``problems``: readable messages naming file, column and contract line. ``content_fingerprint``: hash over the contents that
    stand in ``raw``, the contract that read them, and the order in which they replace one another; equal fingerprints mean
    equal ``raw`` for every model, whatever the files are called and whenever they came.
    """

    files_seen: int
    files_landed: int
    files_duplicate: int
    files_refused: int
    files_waiting: int
    rows_landed: int
    rows_quarantined: int
    rows_released: int
    problems: tuple[str, ...]
    content_fingerprint: str


def build_report(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, files: Sequence[FoundFile], new: set[int]
) -> LandingReport:
    """The report of a run that decided about the ledger entries numbered ``new``."""
    present = {(f.name, f.size_bytes, f.mtime_ns) for f in files}
    here = [e for e in ledger.all() if (e.file_name, e.size_bytes, e.seen_mtime_ns) in present]
    landed = [e for e in ledger.all() if e.ledger_no in new and e.status == "landed"]
    duplicates = [e for e in ledger.all() if e.ledger_no in new and e.status == "duplicate"]
    refused = [e for e in here if e.status == "refused"]
    waiting = [e for e in here if e.status == "waiting"]
    problems = [f"{e.file_name}: refused: {e.reason}" for e in refused]
    # A hidden file is nobody's delivery yet; it is in the ledger, but no problem.
    problems += [f"{e.file_name}: waits: {e.reason}" for e in waiting if not _is_hidden(e)]
    problems += _quarantined(connection, landed)
    problems += _extra_columns(landed)
    return LandingReport(
        files_seen=len(files),
        files_landed=len(landed),
        files_duplicate=len(duplicates),
        files_refused=len(refused),
        files_waiting=len(waiting),
        rows_landed=sum(e.raw_row_count or 0 for e in landed),
        rows_quarantined=sum(e.rejected_row_count or 0 for e in landed),
        rows_released=0,
        problems=tuple(problems),
        content_fingerprint=ledger.fingerprint(),
    )


def _is_hidden(entry: Entry) -> bool:
    return entry.file_name.rpartition("/")[2].startswith(".")


def _quarantined(connection: duckdb.DuckDBPyConnection, landed: Sequence[Entry]) -> list[str]:
    """One line per file, column and kind of reason, with the first row as the example."""
    if not (ids := [e.file_id for e in landed if e.rejected_row_count]):
        return []
    rows = connection.execute(
        "select file_name, reason_code, count(*), min(line_no), arg_min(reason, line_no) from landing.rejected_rows "
        "where list_contains(?, file_id) and released_at is null "
        "group by file_name, reason_code, column_name order by file_name, 4",
        [ids],
    ).fetchall()
    return [
        f"{name}: {count} row{'s' if count > 1 else ''} in quarantine ({code}), the first on line {line}: {reason}"
        for name, code, count, line, reason in rows
    ]


def _extra_columns(landed: Sequence[Entry]) -> list[str]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in landed:
        for column in entry.extra_columns or []:
            found.setdefault((entry.source_name or "", entry.extract_name or "", column), []).append(entry.file_name)
    return [
        f"{source}/{extract}: column {column!r} is not in the contract and was left out "
        f"(files: {len(names)}, the first {names[0]})"
        for (source, extract, column), names in found.items()
    ]
