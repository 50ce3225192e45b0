"""What a night is about, decided before anything is built: its last day, its inputs, and whether there is anything new."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from orchestration.erasure.register import read_erasures
from orchestration.landing import LandingReport
from orchestration.ledger.chain import Head
from orchestration.ledger.verify import noted_in
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.publishing.candidate import Candidate, candidates_dir
from orchestration.publishing.release import Release, current_release
from orchestration.settings import PROJECT_DIR, Company
from orchestration.value.published import keep_published_value

# When each extract's events happened; the last of them is the last day the company knows of.
_EVENT_TIMES = {
    "sales__order_lines": "ordered_at",
    "sales__returns": "returned_at",
    "survey__responses": "submitted_at",
    "survey__invitations": "sent_at",
    "service__tickets": "opened_at",
    "service__interactions": "occurred_at",
}
# What the tables are computed by. A change here is a new night even over the same data.
_CODE = ("models", "macros", "tests/dbt", "expectations", "orchestration", "dbt_project.yml")


class NothingDelivered(Exception):
    """There is no event in the warehouse, so there is no day to compute."""


@dataclass(frozen=True)
class Night:
    """One night's inputs. Two nights with the same ``inputs_hash`` compute the same tables."""

    as_of: date
    code_version: str
    policy_hash: str
    inputs_hash: str
    ledger_head: Head


def plan_night(
    company: Company, landing: LandingReport, as_of: date | None = None, ledger_until: datetime | None = None
) -> Night:
    """Choose ``as_of``, write it and the ledger's state where the models read them (``control``), and hash all inputs.
    A past night gives both its day and the moment (UTC) up to which it knows the ledger.

    Raises:
        NothingDelivered: no event was ever landed.
        LedgerDamaged: the ledger is not what was written to it.

    """
    connection = duckdb.connect(str(company.warehouse_path))
    try:
        day = as_of or _as_of(connection, company)
        connection.execute("create schema if not exists control")
        connection.execute(
            "create or replace table control.night as select cast(? as date) as as_of, cast(? as timestamp) as known_until, "
            "cast(? as varchar) as code_version",
            [day, end_of_day(company, day), code_version()],
        )
        # A period closed, a payee held, a line adjusted: each makes a new night.
        in_place = current_release(company)
        head = write_ledger_tables(
            company, connection, noted_in(in_place.marts_path) if in_place else None, ledger_until
        )
        keep_published_value(connection, company)
    finally:
        connection.close()
    code, policy = code_version(), hash_policy(company)
    parts = (
        landing.content_fingerprint, policy, code, day.isoformat(), company.time_zone, company.currency_code,
        head.entry_hash, read_erasures(company).fingerprint,
    )  # fmt: skip
    return Night(day, code, policy, hashlib.sha256("\n".join(parts).encode()).hexdigest(), head)


def end_of_day(company: Company, day: date) -> datetime:
    """The first moment after a business day, UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(company.time_zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def hash_policy(company: Company) -> str:
    """Hash of all the company's seeds."""
    return _hash_files(company.seeds_dir, "*.csv")


def _as_of(connection: duckdb.DuckDBPyConnection, company: Company) -> date:
    """The last business day with an event, or yesterday, as the environment says. An event that claims to be later than
    the delivery of its file does not move the night into the future.
    """
    days = " union all ".join(
        f"""
        select max(cast(timezone($zone, timezone('UTC', {column})) as date)) as day from raw.{table}
        where {column} <= _delivered_at + interval 1 day
        """
        for table, column in _EVENT_TIMES.items()
    )
    last_event, last_value = connection.execute(
        f"""
        select (select max(day) from ({days})),
               (select max(last_day(period_start)) from raw.hr__measure_values where period_start <= _delivered_at)
        """,
        {"zone": company.time_zone},
    ).fetchall()[0]
    if company.environment.as_of_source == "clock":
        return datetime.now(ZoneInfo(company.time_zone)).date() - timedelta(days=1)
    known: list[date] = [day for day in (last_event, last_value) if day is not None]
    if not known:
        raise NothingDelivered(f"{company.extracts_dir}: no order, answer, ticket or value was ever delivered")
    return max(known)


@cache
def code_version() -> str:
    """Hash of everything that computes or checks: twelve hex digits."""
    digest = hashlib.sha256()
    for name in _CODE:
        path = PROJECT_DIR / name
        digest.update((_hash_files(path, "*.*") if path.is_dir() else _hash_file(path)).encode())
    return digest.hexdigest()[:12]


def _hash_files(folder: Path, pattern: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()}\0{_hash_file(path)}\n".encode())
    return digest.hexdigest()


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release_in_place(company: Company, night: Night) -> Release | None:
    """The current release, which is undamaged, if it was computed from exactly these inputs and pays from its own night;
    otherwise ``None``, and the night has work to do.
    """
    release = current_release(company)
    if release is None or not release.verdict.incentives_are_new:
        return None
    return release if inputs_hash_of(release) == night.inputs_hash else None


def inputs_hash_of(release: Release) -> str:
    """The inputs a release was computed from."""
    connection = duckdb.connect(str(release.marts_path), read_only=True)
    try:
        return str(connection.execute("select inputs_hash from meta.publication").fetchall()[0][0])
    finally:
        connection.close()


def new_candidate(company: Company, night: Night) -> Candidate:
    """A candidate with a name of its own; names sort by the time they were built."""
    built_at = datetime.now(UTC).replace(tzinfo=None)
    release_id = f"{built_at:%Y%m%dT%H%M%S%f}-{night.inputs_hash[:8]}"
    return Candidate(
        release_id=release_id,
        folder=candidates_dir(company) / release_id,
        as_of=night.as_of,
        run_id=uuid.uuid4().hex,
        code_version=night.code_version,
        policy_hash=night.policy_hash,
        inputs_hash=night.inputs_hash,
        built_at=built_at,
        ledger_head=night.ledger_head,
    )
