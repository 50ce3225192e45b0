"""Erasing a customer: noted first, done in the warehouse next, and finished by the night that publishes without them.

Each step can be interrupted and is resumed by the next night: the list says what is pending.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.erasure.register import (
    ErasureError,
    erased_on,
    key_for_erasing,
    note_done,
    note_erasure,
    pseudonym,
    read_erasures,
)
from orchestration.landing.contract import Contract
from orchestration.landing.contract_reader import read_contract
from orchestration.landing.erased import discard_half_done, find_traces, is_applied, left_over, rewrite_warehouse
from orchestration.landing.scrub import Scrubber
from orchestration.publishing.candidate import discard_candidates
from orchestration.publishing.failing_rows import failing_rows_dir
from orchestration.publishing.files import write_durably
from orchestration.publishing.release import drop_releases_but
from orchestration.settings import Company


@dataclass(frozen=True)
class Requested:
    """``new``: pseudonyms that came onto the list now; ``known``: of customers who were on it, with the day."""

    new: tuple[str, ...]
    known: tuple[tuple[str, str], ...]


def request_erasure(company: Company, customers: Sequence[str], by: str, reason: str) -> Requested:
    """Put customers onto the list. The caller holds the night lock, and runs a night afterwards.

    Raises:
        ErasureError: one of them is not known, or a seed names them; nothing was noted.

    """
    if not company.warehouse_path.is_file():
        raise ErasureError(f"{company.warehouse_path}: not there: nothing was landed yet")
    if not by.strip() or not reason.strip():
        raise ErasureError("an erasure needs somebody who orders it and a reason")
    if named := [customer for customer in customers if customer in reason]:
        raise ErasureError(f"the reason is kept and must not name the customer ({named[0]})")
    key = key_for_erasing(company)
    erasures = read_erasures(company)
    contract = _contract(company)
    new: dict[str, str] = {}
    known = []
    for customer in dict.fromkeys(customers):
        name = pseudonym(key, customer)
        if name in erasures.customers:
            known.append((name, erased_on(company, name)))
        else:
            new[customer] = name
    traces = find_traces(company.warehouse_path, contract, list(new))
    for customer in traces.unknown:
        raise ErasureError(f"customer {customer!r} is in no delivered row; nothing was erased")
    for customer in new:
        if places := _seeds_naming(company, customer):
            raise ErasureError(f"{places[0]} names customer {customer!r}: take the row out first; nothing was erased")
    if new:
        note_erasure(company, key, new.values(), [pseudonym(key, name) for name in traces.names], by, reason)
    return Requested(tuple(new.values()), tuple(known))


def resume_erasures(company: Company, progress: Callable[[str], None] | None = None) -> None:
    """Before landing: take everybody who is pending out of the warehouse, and away with what may show their rows."""
    discard_half_done(company.warehouse_path)
    erasures = read_erasures(company)
    if not erasures.pending:
        return
    if company.warehouse_path.is_file() and not is_applied(company.warehouse_path, erasures):
        rewrite_warehouse(company.warehouse_path, _contract(company), erasures, progress)
    discard_candidates(company)
    # Past nights and the day's copy can be made again, and without the erased.
    for folder in (
        failing_rows_dir(company),
        company.state_dir / "checks",
        company.day_dir,
        company.backfill_dir,
    ):
        shutil.rmtree(folder, ignore_errors=True)
    _scrub_notes(company, Scrubber(erasures))


def erase_left_over(company: Company, progress: Callable[[str], None] | None = None) -> None:
    """After landing: a text that came nights before the response that says whose it is."""
    if texts_left_over(company, company.warehouse_path):
        rewrite_warehouse(company.warehouse_path, _contract(company), read_erasures(company), progress)


def texts_left_over(company: Company, warehouse: Path) -> int:
    """How many texts of erased customers are in the file."""
    erasures = read_erasures(company)
    if not erasures.customers:
        return 0
    return left_over(warehouse, _contract(company), erasures)


def finish_erasures(company: Company, release_id: str) -> list[str]:
    """After ``release_id`` was published: remove every other release, for it may show the erased; returns the ids removed.

    Readers that have one open keep it until they close it. There is nothing to roll back to until the next night. A past
    night that is computed again finishes nothing: what readers see is elsewhere.
    """
    erasures = read_erasures(company)
    if not erasures.pending or company.past_night_path.is_file():
        return []
    removed = drop_releases_but(company, release_id)
    note_done(company, erasures.pending, release_id)
    return removed


def _scrub_notes(company: Company, scrubber: Scrubber) -> None:
    """Logs and reports of earlier nights quote values where a file was refused. The log that is being written is not among
    them: what goes into it was scrubbed before.
    """
    names = ("nights.jsonl", "last_night.json", "last_refresh.json", "rollbacks.jsonl")
    paths = [company.state_dir / name for name in names] + sorted((company.state_dir / "logs").glob("*.log"))[:-1]
    for path in paths:
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            scrubbed = [scrubber.text(line) for line in lines]
            if scrubbed != lines:
                write_durably(path, "".join(scrubbed))


def _contract(company: Company) -> Contract:
    return read_contract(company.headers_path, deliveries_path=company.deliveries_path)


def _seeds_naming(company: Company, customer: str) -> list[str]:
    places = []
    for path in sorted(company.seeds_dir.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            places += [f"{path.relative_to(company.folder)}:{reader.line_num}" for row in reader if customer in row]
    return places
