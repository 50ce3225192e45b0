"""Past nights, computed again as they would have been: into folders of their own, beside what readers see.

A folder ``backfill/<day>/`` of the company's data is the data of a past night: ``past_night.json`` says up to when it knows
the world, and which files had not come by then. Landing, planning and the copy of the ledger keep to it; everything else is
the same night. The policy is today's seeds, whose rows are dated, and the code is today's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from orchestration import pay_file
from orchestration.erasure import register
from orchestration.landing.contract_reader import read_contract
from orchestration.landing.deliveries import delivered_at
from orchestration.landing.inventory import FoundFile, list_files
from orchestration.ledger.store import ledger_dir
from orchestration.lock import night_lock
from orchestration.night import end_of_day
from orchestration.nightwatch import ended_nights
from orchestration.publishing.files import write_durably
from orchestration.settings import PROJECT_DIR, Company

# A night that is not in the list of nights: what had come two hours after its day is what it had.
_NIGHT_BEGINS = timedelta(hours=2)


# A past night's pay file is encrypted as any, and who was erased since is not in it.
_KEYS = (pay_file.KEY_VARIABLE, register.KEY_VARIABLE)


class BackfillError(Exception):
    """The past night cannot be computed; the message says why."""


@dataclass(frozen=True)
class PastNight:
    """Up to when (UTC) the night knows deliveries and the ledger; ``left_out`` are the files that came later."""

    as_of: date
    until: datetime
    left_out: frozenset[str]

    def had(self, found: FoundFile) -> bool:
        """Whether the file had come."""
        return found.name not in self.left_out


@dataclass(frozen=True)
class Rebuilt:
    """One past night computed again."""

    as_of: date
    folder: Path
    outcome: str
    is_as_run: bool


def past_night_of(company: Company) -> PastNight | None:
    """The past night that the company's data folder is of; ``None`` for the company as it is."""
    path = company.past_night_path
    if not path.is_file():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    return PastNight(
        date.fromisoformat(fields["as_of"]), datetime.fromisoformat(fields["until"]), frozenset(fields["left_out"])
    )


def backfill(
    company: Company, first: date, last: date, progress: Callable[[str], None] | None = None
) -> Iterator[Rebuilt]:
    """Compute the nights of these days again, the earliest first. A folder that is there already is replaced.

    Raises:
        BackfillError: the days are in the wrong order or not over yet, or nothing was ever landed.
        NightIsBusy: a night is writing the books of landing.

    """
    if first > last:
        raise BackfillError(f"{first} is after {last}")
    if last >= datetime.now(ZoneInfo(company.time_zone)).date():
        raise BackfillError(f"{last} is not over yet")
    if not company.warehouse_path.is_file():
        raise BackfillError(f"{company.warehouse_path}: no night has run yet, there is nothing to go back to")
    with night_lock(company.lock_path):
        landed = _landed_at(company)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if progress:
            progress(f"night of {day}")
        yield _rebuild(company, day, landed)


def _rebuild(company: Company, day: date, landed: dict[str, datetime]) -> Rebuilt:
    folder = company.backfill_dir / day.isoformat()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    (folder / "extracts").symlink_to(company.extracts_dir.resolve())
    if ledger_dir(company).is_dir():
        (folder / "ledger").symlink_to(ledger_dir(company).resolve())
    until, is_known = _known_until(company, day, landed)
    left_out = _left_out(company, landed, until, is_known)
    fields = {"as_of": day.isoformat(), "until": until.isoformat(), "left_out": left_out}
    write_durably(
        replace(company, data_dir=folder).past_night_path, json.dumps(fields, ensure_ascii=False, indent=1) + "\n"
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SCORECARD_") or name in _KEYS
    }
    environment |= {
        "SCORECARD_COMPANY": str(company.folder),
        "SCORECARD_DATA_DIR": str(folder),
        "SCORECARD_ENV": company.environment.name,
        "PYTHONPATH": str(PROJECT_DIR),
    }
    # A process of its own: the settings of a company come from its environment.
    process = subprocess.run(
        [sys.executable, "-c", "from orchestration.cli import main; main()", "nightly", "--json"],
        env=environment, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    outcome = "failed"
    if process.stdout.strip():
        outcome = json.loads(process.stdout).get("outcome", "failed")
    if outcome != "failed":
        # What a reader asks is in the release; the warehouse of a past night is of no use.
        for name in ("warehouse.duckdb", "dbt", "dagster"):
            path = folder / "warehouse" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return Rebuilt(day, folder, outcome, is_known)


def _landed_at(company: Company) -> dict[str, datetime]:
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select file_name, min(landed_at) from landing.files where status in ('landed', 'duplicate') group by file_name"
        ).fetchall()
    return dict(rows)


def _known_until(company: Company, day: date, landed: dict[str, datetime]) -> tuple[datetime, bool]:
    """When the last night of the day had landed all it had. Known from the list of nights, unless the warehouse was
    built anew since; else two hours after the day.
    """
    nights = [night for night in ended_nights(company) if night.as_of == day.isoformat() and night.outcome != "failed"]
    if nights:
        ended = datetime.fromisoformat(nights[-1].ended_at).astimezone(UTC).replace(tzinfo=None)
        if any(moment <= ended for moment in landed.values()):
            return ended, True
    return end_of_day(company, day) + _NIGHT_BEGINS, False


def _left_out(company: Company, landed: dict[str, datetime], until: datetime, is_known: bool) -> list[str]:
    """Files that came after ``until``: by the books of landing where they tell, else by their own dates."""
    contract = read_contract(company.headers_path, deliveries_path=company.deliveries_path)
    zone = ZoneInfo(company.time_zone)

    def came_at(found: FoundFile) -> datetime:
        if is_known and found.name in landed:
            return landed[found.name]
        extract = contract.find(*found.folder) if found.folder else None
        return delivered_at(found.name, found.mtime_ns, extract, zone)[0] if extract else datetime.min

    return sorted(found.name for found in list_files(company.extracts_dir) if came_at(found) > until)
