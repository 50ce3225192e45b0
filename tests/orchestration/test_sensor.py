"""The sensor of the day has one process keep watch, and tells once what each refresh came to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs import within_the_day
from orchestration.defs.within_the_day import build_refresh
from orchestration.refreshing import REFRESHED_TABLES, RefreshReport
from orchestration.refreshing.report import last_refresh_path, save_refresh_report
from orchestration.refreshing.watch import watch_alone
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    monkeypatch.setenv("SCORECARD_COMPANY", str(company.folder))
    return company


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Callable[..., object], Company]]:
    """What the sensor began; each stands for a process that keeps watch from then on."""
    begun: list[tuple[Callable[..., object], Company]] = []
    monkeypatch.setattr(within_the_day, "begin_beside", lambda *call: begun.append(call))
    monkeypatch.setattr(within_the_day, "is_watched", lambda _: bool(begun))
    return begun


class Looks:
    """One look of the sensor after another."""

    def __init__(self) -> None:
        _, self._sensor = build_refresh()
        self._cursor: str | None = None

    def look(self) -> dg.SensorExecutionData:
        with dg.build_sensor_context(cursor=self._cursor) as context:
            data = self._sensor.evaluate_tick(context)
        self._cursor = data.cursor
        return data


def test_a_watch_is_begun_when_nobody_keeps_one(company: Company, begun: list[object]) -> None:
    looks = Looks()
    for _ in range(3):
        looks.look()
        assert begun == [(watch_alone, company)]
    begun.clear()
    looks.look()
    assert begun == [(watch_alone, company)]


@pytest.mark.usefixtures("begun")
def test_the_tables_that_a_refresh_has_published_are_told_once(company: Company) -> None:
    looks = Looks()
    assert looks.look().asset_events == []
    for release in ("first-day", "second-day"):
        save_refresh_report(
            company, RefreshReport("refreshed", release, "night", rows_landed=3, seconds={"build": 6.1})
        )
        events = looks.look().asset_events
        assert {".".join(event.asset_key.path) for event in events} == REFRESHED_TABLES
        told = {name: value.value for name, value in events[0].metadata.items()}
        assert told == {
            "release_id": release, "night_release_id": "night", "rows_landed": 3, "checks_passed": 0, "seconds": 6.1
        }  # fmt: skip
        assert looks.look().asset_events == []


@pytest.mark.usefixtures("begun")
def test_a_refresh_that_found_nothing_new_publishes_nothing(company: Company) -> None:
    save_refresh_report(company, RefreshReport("unchanged", "night", "night"))
    data = Looks().look()
    assert data.asset_events == [] and not data.run_requests and data.skip_message == "nothing new in the files"


@pytest.mark.usefixtures("begun")
def test_what_is_refused_is_asked_once_more_as_a_run_and_not_again_for_the_same_files(company: Company) -> None:
    looks = Looks()

    def asked() -> list[str | None]:
        return [request.run_key for request in looks.look().run_requests or []]

    def refused() -> list[str | None]:
        before = last_refresh_path(company).stat().st_mtime_ns if last_refresh_path(company).exists() else 0
        save_refresh_report(company, RefreshReport("refused", reasons=["wait for the night"]))
        assert last_refresh_path(company).stat().st_mtime_ns != before
        return asked()

    def deliver(extract: str, name: str, content: str) -> None:
        path = company.extracts_dir / extract / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    deliver("survey/answers", "answers_2026-05-01.csv", "response_id,question_code,score\n")
    first = refused()
    assert len(first) == 1
    assert asked() == []
    # The run is refused in its turn, and a run of that key has been: Dagster begins none.
    assert refused() == first
    deliver("sales/order_lines", "order_lines_2026-05-01.csv", "order_id\n")
    assert refused() == first
    deliver("survey/answers", "answers_2026-05-01.csv", "response_id,question_code,score\nR1,nps,9\n")
    second = refused()
    deliver("service/case_outcomes", "outcomes_2026-05-01.csv", "case_id,handled_at,outcome_code\n")
    assert len({*first, *second, *refused()}) == 3
