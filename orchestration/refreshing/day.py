"""The day's copy of the night's warehouse: what a refresh lands in it, and what its models read about the moment."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from orchestration.landing import land
from orchestration.landing.inventory import FoundFile, list_files
from orchestration.ledger.chain import Head
from orchestration.ledger.verify import noted_in
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.night import code_version, end_of_day
from orchestration.publishing.files import write_durably
from orchestration.refreshing.plan import SURVEY_EXTRACTS
from orchestration.settings import Company


def day_company(company: Company) -> Company:
    """The company whose warehouse is the day's copy; dbt's own files lie beside it and stay from day to day."""
    return replace(company, data_dir=company.day_dir)


def is_wanted(found: FoundFile) -> bool:
    """Whether a refresh looks at the file."""
    return found.folder in SURVEY_EXTRACTS


def survey_signature(company: Company) -> str:
    """Changes when a survey file or a file of case outcomes comes, goes or is written to."""
    digest = hashlib.sha256()
    for found in survey_files(company):
        digest.update(f"{found.name}\0{found.size_bytes}\0{found.mtime_ns}\n".encode())
    return digest.hexdigest()


def survey_files(company: Company) -> list[FoundFile]:
    """The files that a refresh looks at, landed or not."""
    return [found for found in list_files(company.extracts_dir) if is_wanted(found)]


def copy_warehouse(company: Company, day: Company, night_release_id: str, marker: Path) -> dict[str, Any]:
    """The day's copy of the night's warehouse: once a day, and again after a refresh that did not come to its end."""
    source = company.warehouse_path.stat()
    identity = [night_release_id, source.st_ino, source.st_size, source.st_mtime_ns]
    known = json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else {}
    if known.get("identity") == identity and day.warehouse_path.is_file():
        return dict(known)
    day.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker.unlink(missing_ok=True)
    for leftover in (day.warehouse_path, day.warehouse_path.with_name(day.warehouse_path.name + ".wal")):
        leftover.unlink(missing_ok=True)
    copied_at = datetime.now(UTC).replace(tzinfo=None)
    shutil.copyfile(company.warehouse_path, day.warehouse_path)
    os.chmod(day.warehouse_path, 0o600)
    if not day.dbt_target_dir.is_dir():
        day.dbt_target_dir.mkdir(parents=True)
    shutil.copyfile(company.dbt_target_dir / "manifest.json", day.dbt_target_dir / "manifest.json")
    fingerprint = land(company, warehouse=day.warehouse_path, wanted=lambda _: False).content_fingerprint
    known = {"identity": identity, "copied_at": copied_at.isoformat(), "fingerprint": fingerprint}
    write_durably(marker, json.dumps(known) + "\n")
    return known


def write_control(
    company: Company, connection: duckdb.DuckDBPyConnection, night_day: date, in_place: Path, copied_at: str
) -> tuple[date, Head, frozenset[tuple[str, str]]]:
    """Write what the models read about the moment, and which periods' scorecards stand: those that are closed, and those
    without a day of a new answer. Only the others are scored again. Returns the moment's day, the ledger's head and the
    extracts that have something new since the night, which was of ``night_day``: all of them when the day is another.
    ``in_place`` is the marts file that readers see.
    """
    zone = ZoneInfo(company.time_zone)
    now = datetime.now(UTC)
    days = [
        row[0]
        for row in connection.execute(
            """
            with new_files as (select file_id from landing.files where landed_at >= cast($copied_at as timestamp)),
            new_responses as (
                select response_id from raw.survey__responses where _file_id in (select file_id from new_files)
                union
                select response_id from raw.survey__answers where _file_id in (select file_id from new_files)
            )
            select distinct cast(timezone($zone, timezone('UTC', submitted_at)) as date) as day
            from raw.survey__responses
            where response_id in (select response_id from new_responses)
              and submitted_at <= _delivered_at + interval 1 day
            """,
            {"zone": company.time_zone, "copied_at": copied_at},
        ).fetchall()
    ]
    if company.environment.as_of_source == "clock":
        as_of = max(night_day, now.astimezone(zone).date())
        known_until = min(now.replace(tzinfo=None), end_of_day(company, as_of))
    else:
        as_of = max([night_day, *days])
        known_until = end_of_day(company, as_of)
    connection.execute(
        "create or replace table control.night as select cast(? as date) as as_of, cast(? as timestamp) as known_until, "
        "cast(? as varchar) as code_version",
        [as_of, known_until, code_version()],
    )
    head = write_ledger_tables(company, connection, noted_in(in_place))
    connection.execute(
        "create or replace temp table touched as select unnest(cast($days as date[])) as day", {"days": [*days, as_of]}
    )
    standing = """
        select period_type, period_start from intermediate.int_periods_listed as periods
        where period_type in ('month', 'quarter') and not exists (
            select 1 from touched where touched.day >= periods.period_start and touched.day < periods.period_end
        )
    """
    connection.execute(
        f"update control.ledger_periods set state = 'closed' where (period_type, period_start) in ({standing})"
    )
    connection.execute(
        f"insert into control.ledger_periods (period_type, period_start, state) select period_type, period_start, 'closed' "
        f"from ({standing}) anti join control.ledger_periods using (period_type, period_start)"
    )
    landed = connection.execute(
        "select distinct source_name, extract_name from landing.files where landed_at >= cast(? as timestamp)",
        [copied_at],
    ).fetchall()
    changed = frozenset(SURVEY_EXTRACTS) & {(source, extract) for source, extract in landed}
    return as_of, head, changed if as_of == night_day else frozenset(SURVEY_EXTRACTS)
