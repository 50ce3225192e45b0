"""New answers within the day: readers see them, pay stays the night's, and the next night is as if nothing had been."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.apart import begin_beside
from orchestration.defs import within_the_day
from orchestration.lock import night_lock
from orchestration.publishing.candidate import candidates_dir
from orchestration.publishing.release import current_release, verify_release
from orchestration.refreshing import (
    REFRESHED_TABLES,
    RefreshRefused,
    load_refresh_report,
    refresh,
    refresh_plan,
    warm_up,
)
from orchestration.refreshing.day import day_company
from orchestration.refreshing.watch import is_watched
from orchestration.settings import PROJECT_DIR, Company
from orchestration.sql_text import quoted
from tests.conftest import FirstNight, NightRun, copy_company, run_night, run_scorecard

pytestmark = pytest.mark.xdist_group("within_the_day")
OF_THE_RUN = {"meta.publication", "meta.check_results"}
# Which file lies where and when it came is told by the books of landing, not by the data.
OF_LANDING = {"meta.landed_files", "meta.rejected_rows"}
REFUSED, WAITING = "order_lines_2026-06-29_again.csv", ".order_lines_2026-06-30.csv.part"
# Measures made from journeys, which a refresh leaves to the night.
JOURNEY_MEASURES = ("blame_share",)


def digests(path: Path, without_measures: Sequence[str] = ()) -> dict[str, str]:
    """A digest of the rows of every table, regardless of their order; without the results and lines of some measures."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name, list_contains(list(column_name), 'measure_code') "
            "from duckdb_columns() where not internal group by all"
        ).fetchall()
        for schema, table, is_of_measures in tables:
            rows = f"select cast(t as varchar) as line from {quoted(schema)}.{quoted(table)} as t"
            if is_of_measures:
                rows += " where not coalesce(list_contains($measures, measure_code), false)"
            found[f"{schema}.{table}"] = connection.execute(
                f"select md5(coalesce(string_agg(line, chr(10) order by line), '')) from ({rows})",
                {"measures": list(without_measures)} if is_of_measures else {},
            ).fetchall()[0][0]
    return found


def publication(path: Path) -> dict[str, object]:
    with duckdb.connect(str(path), read_only=True) as connection:
        result = connection.execute("select * from meta.publication")
        names = [column[0] for column in result.description]
        return dict(zip(names, result.fetchall()[0], strict=True))


def told(run: NightRun) -> dict[str, object]:
    """The JSON that a command printed, before what it said on standard error."""
    answer: dict[str, object] = json.JSONDecoder().raw_decode(run.output)[0]
    return answer


def dies(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Day:
    """A company after its night; ``late`` are the files of the survey's last day, ``marts`` and ``pay`` that night's files."""

    company: Company
    late: list[Path]
    marts: Path
    pay: Path


@pytest.fixture(scope="module")
def day(small_extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> Day:
    company = copy_company(PROJECT_DIR, tmp_path_factory.mktemp("day") / "company")
    files = [path for path in small_extracts.rglob("*") if path.is_file()]
    late = [
        path.relative_to(small_extracts)
        for path in files
        if path.name in ("responses_2026-06-30.csv", "answers_2026-06-30.csv", "case_outcomes_2026-06-30.csv")
    ]
    assert len(late) == 3
    for path in files:
        if path.relative_to(small_extracts) not in late:
            target = company.extracts_dir / path.relative_to(small_extracts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    # Beside them lie a file that was cut off and one that somebody is writing.
    lines = company.extracts_dir / "sales" / "order_lines"
    header, _, body = (lines / "order_lines_2026-06-29.csv").read_bytes().partition(b"\n")
    (lines / REFUSED).write_bytes(header + b'\n"' + body)
    (lines / WAITING).write_bytes(header)
    night = run_night(company)
    assert night.exit_code == 0, night.output
    kept = tmp_path_factory.mktemp("night")
    for name in ("marts.duckdb", "incentives.duckdb"):
        shutil.copy(company.published_dir / "current" / name, kept)
    return Day(company, late, kept / "marts.duckdb", kept / "incentives.duckdb")


def test_a_file_that_is_refused_or_waits_is_set_aside_and_named_and_the_night_goes_on(day: Day) -> None:
    with duckdb.connect(str(day.marts), read_only=True) as connection:
        aside = connection.execute(
            "select split_part(file_name, '/', -1), status, reason, file_id from meta.landed_files "
            "where status not in ('landed', 'duplicate') order by 1"
        ).fetchall()
    assert [(name, status, file_id) for name, status, _, file_id in aside] == [
        (WAITING, "waiting", None),
        (REFUSED, "refused", None),
    ]
    assert "a quote is opened and never closed" in aside[1][2]


def test_answers_of_the_day_are_published_and_the_next_night_is_undisturbed(
    day: Day, small_extracts: Path, first_night: FirstNight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, current = day.company, day.company.published_dir / "current"
    night_release = str(publication(day.marts)["release_id"])
    for path in day.late:
        shutil.copy2(small_extracts / path, company.extracts_dir / path)

    # A refresh whose checks did not all run is refused: here the SQL of one has gone.
    test = sorted(path for path in refresh_plan(company).tests.values())[0]
    hidden = test.rename(test.with_suffix(".away"))
    with pytest.raises(RefreshRefused, match="could not be run"):
        refresh(company)
    hidden.rename(test)
    assert current.resolve().name == night_release

    # Nor is one published whose file was not written to its end.
    with monkeypatch.context() as patched:
        patched.setattr("orchestration.publishing.candidate._rewrite", dies)
        with pytest.raises(RefreshRefused, match="the process of dies was killed"):
            refresh(company)
    assert current.resolve().name == night_release
    assert not candidates_dir(company).exists()

    # Whoever waits for answers has made the copy already, and built on it as on the night's.
    warm_up(company)
    copy = day_company(company).warehouse_path
    made = copy.stat().st_ino

    # A night is running: the refresh says so at once and does nothing.
    with night_lock(company.lock_path):
        assert run_scorecard(company, "refresh").exit_code == 75

    done = run_scorecard(company, "refresh", "--json")
    assert done.exit_code == 0, done.output
    assert copy.stat().st_ino == made
    report = load_refresh_report(company)
    assert report is not None and report.outcome == "refreshed" and report.files_landed == 3
    assert told(done)["release_id"] == report.release_id

    said, paid = publication(current / "marts.duckdb"), publication(current / "incentives.duckdb")
    assert said["gate_state"] == "within_the_day"
    assert said["release_id"] == paid["release_id"] == report.release_id
    assert said["night_release_id"] == said["incentives_release_id"] == night_release
    release = current_release(company)
    assert release is not None
    verify_release(release)

    before, after = digests(day.marts), digests(current / "marts.duckdb")
    changed = {table for table in before if before[table] != after[table]}
    assert changed - OF_THE_RUN <= REFRESHED_TABLES
    assert changed >= {"core.survey_answers", "kpi.kpi_results", "voice.feedback_cases", "scorecard.scorecards"}
    assert {t for t, d in digests(day.pay).items() if digests(current / "incentives.duckdb")[t] != d} == {
        "meta.publication"
    }
    # Every check of the night is in the release, run again or standing.
    with duckdb.connect() as connection:
        connection.execute(f"attach '{day.marts}' as night (read_only)")
        connection.execute(f"attach '{current / 'marts.duckdb'}' as day (read_only)")
        difference = connection.execute(
            "select count(*) from night.meta.check_results full join day.meta.check_results as later using (name) "
            "where night.meta.check_results.name is null or not later.passed or later.name is null"
        ).fetchall()
        by_rule = connection.execute(
            "select test.checked, rule.checked from day.meta.check_results as test join day.meta.check_results as rule "
            "on (test.name, rule.name) in (select unnest(cast($tests as struct(test varchar, rule varchar)[]), max_depth := 2)) "
            "where test.kind = 'dbt_test'",
            {"tests": [{"test": test, "rule": rule} for test, rule in refresh_plan(company).by_rule.items()]},
        ).fetchall()
        lists = [
            connection.execute(
                f"select distinct source_name, extract_name, is_full_list from {release}.meta.landed_files order by all"
            ).fetchall()
            for release in ("night", "day")
        ]
    assert lists[0] == lists[1]
    assert difference == [(0,)]
    assert len(by_rule) == 2 and all(asked == checked is not None for asked, checked in by_rule)

    assert told(run_scorecard(company, "refresh", "--json"))["outcome"] == "unchanged"
    refreshed = Path(shutil.copy(current / "marts.duckdb", tmp_path))

    # What the day showed of the survey is what the night finds; the night is that of a company without a refresh.
    night = run_night(company)
    assert night.exit_code == 0, night.output
    final, alone = digests(current / "marts.duckdb"), digests(first_night.files / "marts.duckdb")
    assert {t for t in final if final[t] != alone.get(t)} <= OF_THE_RUN | OF_LANDING
    final_pay, alone_pay = digests(current / "incentives.duckdb"), digests(first_night.files / "incentives.duckdb")
    assert {t for t in final_pay if final_pay[t] != alone_pay.get(t)} <= OF_THE_RUN
    shown, found = (digests(path, JOURNEY_MEASURES) for path in (refreshed, current / "marts.duckdb"))
    assert {t for t in REFRESHED_TABLES if found[t] != shown[t]} <= OF_LANDING
    assert publication(current / "marts.duckdb")["gate_state"] == "green"


def wait_for(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_sensor_has_answers_brought_to_the_readers_and_tells_it(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    company, current = day.company, day.company.published_dir / "current"
    monkeypatch.setenv("SCORECARD_COMPANY", str(company.folder))
    begun: list[BaseProcess] = []
    monkeypatch.setattr(within_the_day, "begin_beside", lambda *call: begun.append(begin_beside(*call)))
    _, sensor = within_the_day.build_refresh()
    cursor: str | None = None

    def told_tables() -> set[str]:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor) as context:
            data = sensor.evaluate_tick(context)
        cursor = data.cursor
        return {".".join(event.asset_key.path) for event in data.asset_events}

    told_tables()
    try:
        wait_for(lambda: is_watched(company))
        told_tables()
        assert len(begun) == 1
        before = current.resolve()
        path = company.extracts_dir / "survey" / "answers" / "answers_2026-06-29.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            header, *rows = csv.reader(handle)
        place = header.index("score")
        changed = next(row for row in rows if row[place] in ("4", "5"))
        changed[place] = "3"
        part = path.with_name(f".{path.name}.part")
        with part.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([header, *rows])
        os.replace(part, path)
        wait_for(lambda: current.resolve() != before)
        wait_for(lambda: told_tables() == REFRESHED_TABLES)
    finally:
        begun[0].kill()
        begun[0].join()
    assert publication(current / "marts.duckdb")["gate_state"] == "within_the_day"
    assert not is_watched(company)
