"""Whoever keeps watch refreshes when files have changed, and asks again when somebody else is at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from orchestration.commands import refreshing as command
from orchestration.commands.common import EXIT_BUSY, EXIT_FAILED
from orchestration.lock import NightIsBusy, night_lock
from orchestration.refreshing import RefreshRefused
from orchestration.refreshing import watch as watching
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company, run_scorecard


class StoppedError(Exception):
    """Somebody stops the watch."""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def watch(company: Company, monkeypatch: pytest.MonkeyPatch, signatures: list[str], busy: set[int]) -> list[str]:
    """What the watch does while the files have these signatures, one a look; the refreshes of these numbers are told busy."""
    done: list[str] = []
    left: Iterator[str] = iter(signatures)

    def look(_: Company) -> str:
        found = next(left, None)
        if found is None:
            raise StoppedError
        return found

    def refresh_once(_: Company) -> bool:
        done.append("refresh")
        return done.count("refresh") not in busy

    monkeypatch.setattr(watching, "survey_signature", look)
    monkeypatch.setattr(watching, "warm_up", lambda _: done.append("warm"))
    monkeypatch.setattr(watching.time, "sleep", lambda _: done.append("look"))
    with pytest.raises(StoppedError):
        watching.keep_watch(company, 1.0, refresh_once)
    return done


def test_it_is_warm_before_the_first_answers_come(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(company, monkeypatch, ["a", "a", "b", "b"], set())
    assert done == ["refresh", "warm", "look", "look", "refresh", "look", "look"]


def test_a_new_night_is_copied_before_its_first_answers_come(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = iter([1, 1, 2, 2])
    monkeypatch.setattr(watching, "_written_at", lambda _: next(nights))
    assert watch(company, monkeypatch, ["a"] * 4, set()) == ["refresh", "warm", "look", "look", "warm", "look", "look"]


def test_a_night_is_told_by_the_time_its_warehouse_was_written_at(company: Company) -> None:
    assert watching._written_at(company) == 0
    company.warehouse_path.parent.mkdir(parents=True)
    company.warehouse_path.touch()
    assert watching._written_at(company) == company.warehouse_path.stat().st_mtime_ns > 0


def test_busy_is_asked_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(company, monkeypatch, ["a", "a", "a", "a"], {1})
    assert done == ["refresh", "warm", "look", "refresh", "look", "look", "look"]


def test_while_a_night_runs_it_stays_cold(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def lock(path: Path, by: str) -> Iterator[None]:
        if path == company.lock_path:
            raise NightIsBusy("a night is running")
        yield

    monkeypatch.setattr(watching, "night_lock", lock)
    assert watch(company, monkeypatch, ["a", "a"], {1, 2}) == ["refresh", "look", "refresh", "look"]


@pytest.mark.parametrize(("code", "is_through"), [(None, True), (EXIT_FAILED, True), (EXIT_BUSY, False)])
def test_the_command_asks_again_when_it_was_busy_and_not_after_a_refusal(
    company: Company, monkeypatch: pytest.MonkeyPatch, code: int | None, is_through: bool
) -> None:
    def refresh_once(_: Company) -> None:
        if code is not None:
            raise typer.Exit(code)

    monkeypatch.setattr(command, "_refresh_once", refresh_once)
    assert command._refresh_unless_busy(company) is is_through


@pytest.mark.parametrize(
    ("error", "is_through"), [(None, True), (RefreshRefused("wait"), True), (NightIsBusy("a night is running"), False)]
)
def test_who_watches_alone_asks_again_when_it_was_busy_and_not_after_a_refusal(
    company: Company, monkeypatch: pytest.MonkeyPatch, error: Exception | None, is_through: bool
) -> None:
    def refresh(_: Company) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(watching, "refresh", refresh)
    assert watching._refresh_unless_busy(company) is is_through


def test_one_watch_is_enough(company: Company) -> None:
    assert not watching.is_watched(company)
    with night_lock(company.watch_lock_path, by="watch"):
        second = run_scorecard(company, "refresh", "--watch", "1")
    assert second.exit_code == EXIT_BUSY
    assert "another watch is running (process" in second.output
