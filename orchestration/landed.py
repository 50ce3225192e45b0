"""``scorecard landed``: the books of landing for people and for the departments that deliver."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orchestration.landing.books import Listing, last_files, open_books, record_versions, refused_rows
from orchestration.landing.contract import Contract, Extract
from orchestration.landing.contract_reader import read_contract
from orchestration.settings import Company
from orchestration.spreadsheet import inert, one_line

_STYLES = {"refused": "red", "waiting": "yellow", "duplicate": "dim"}


@dataclass(frozen=True)
class LandedRequest:
    """What the command line asks for."""

    extract: str | None = None
    last: int = 20
    rejects: bool = False
    settled: bool = False
    record: tuple[str, ...] = ()


def find_landed(company: Company, request: LandedRequest) -> Listing:
    """Files, refused rows or the versions of a record.

    Raises:
        ValueError: no such extract, or a record without one.
        LandingError: nothing was landed yet, or a night is running.

    """
    contract = read_contract(company.headers_path, deliveries_path=company.deliveries_path)
    extract = _find(contract, request.extract)
    if request.record and extract is None:
        raise ValueError("--record needs --extract: the key is that of one extract's records")
    with open_books(company.warehouse_path) as books:
        if request.record and extract is not None:
            return record_versions(books, extract, request.record)
        if request.rejects:
            return refused_rows(books, contract, extract, with_settled=request.settled)
        return last_files(books, request.last, extract)


def print_landed(listing: Listing, request: LandedRequest, console: Console) -> None:
    """Print it: files for people, rows as CSV to be sent on."""
    if request.rejects or request.record:
        _write_csv(listing)
    else:
        _print_files(listing, console)


def _find(contract: Contract, name: str | None) -> Extract | None:
    if name is None:
        return None
    source, _, extract_name = name.partition("/")
    extract = contract.find(source, extract_name)
    if extract is None:
        known = ", ".join(sorted(e.full_name for e in contract.extracts.values()))
        raise ValueError(f"{name!r} is no extract; the contract knows {known}")
    return extract


def _write_csv(listing: Listing) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(listing.columns)
    writer.writerows([inert(value) for value in row] for row in listing.rows)


def _print_files(listing: Listing, console: Console) -> None:
    """A line per file; what is to be said of it stands below in the whole width of the terminal."""
    for file in listing.records():
        status = file["status"]
        line = Text(f"{file['landed_at']:%Y-%m-%d %H:%M}  ").append(f"{status:<10}", _STYLES.get(status, ""))
        line.append(one_line(file["file_name"]))
        console.print(line, highlight=False, overflow="fold")
        counts = (("rows", "row_count"), ("in raw", "raw_row_count"), ("refused", "rejected_row_count"))
        remarks = (
            [", ".join(f"{file[key] or 0:,} {name}" for name, key in counts)] if file["row_count"] is not None else []
        )
        remarks += [file["reason"]] if file["reason"] else []
        if file["extra_columns"]:
            remarks.append(f"left out: {', '.join(file['extra_columns'])}")
        if remarks:
            console.print(Padding(Text(one_line("; ".join(remarks)), overflow="fold"), (0, 0, 0, 18)), highlight=False)
    console.print("times are UTC" if listing.rows else "no file was ever delivered", highlight=False, style="dim")
