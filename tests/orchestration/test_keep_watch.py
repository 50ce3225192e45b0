"""Whoever keeps watch refreshes when files have changed, and asks again when somebody else is at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from orchestration import refreshing
from orchestration.commands import refreshing as command
from orchestration.commands.common import EXIT_BUSY, EXIT_FAILED
from orchestration.lock import NightIsBusy
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company


class StoppedError(Exception):
    """Somebody stops the watch."""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def watch(
    company: Company, monkeypatch: pytest.MonkeyPatch, signatures: list[str], outcomes: dict[int, int]
) -> list[str]:
    """What the watch does while the files have these signatures, one a look; ``outcomes`` are refreshes that end otherwise."""
    done: list[str] = []
    left: Iterator[str] = iter(signatures)

    def look(_: Company) -> str:
        found = next(left, None)
        if found is None:
            raise StoppedError
        return found

    def refresh_once(_: Company) -> None:
        done.append("refresh")
        if code := outcomes.get(done.count("refresh")):
            raise typer.Exit(code)

    monkeypatch.setattr(refreshing, "survey_signature", look)
    monkeypatch.setattr(refreshing, "warm_up", lambda _: done.append("warm"))
    monkeypatch.setattr(command, "_refresh_once", refresh_once)
    monkeypatch.setattr(command.time, "sleep", lambda _: done.append("look"))
    with pytest.raises(StoppedError):
        command._keep_watch(company, 1.0)
    return done


def test_it_is_warm_before_the_first_answers_come(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(company, monkeypatch, ["a", "a", "b", "b"], {})
    assert done == ["refresh", "warm", "look", "look", "refresh", "look", "look"]


def test_a_new_night_is_copied_before_its_first_answers_come(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = iter([1, 1, 2, 2])
    monkeypatch.setattr(command, "_written_at", lambda _: next(nights))
    assert watch(company, monkeypatch, ["a"] * 4, {}) == ["refresh", "warm", "look", "look", "warm", "look", "look"]


def test_a_night_is_told_by_the_time_its_warehouse_was_written_at(company: Company) -> None:
    assert command._written_at(company) == 0
    company.warehouse_path.parent.mkdir(parents=True)
    company.warehouse_path.touch()
    assert command._written_at(company) == company.warehouse_path.stat().st_mtime_ns > 0


def test_a_refusal_is_not_asked_again_and_busy_is(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(company, monkeypatch, ["a", "a", "a", "a"], {1: EXIT_BUSY, 2: EXIT_FAILED})
    assert done == ["refresh", "warm", "look", "refresh", "look", "look", "look"]


def test_while_a_night_runs_it_stays_cold(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def busy(_: Path) -> Iterator[None]:
        raise NightIsBusy("a night is running")
        yield

    monkeypatch.setattr(command, "night_lock", busy)
    done = watch(company, monkeypatch, ["a", "a"], {1: EXIT_BUSY, 2: EXIT_BUSY})
    assert done == ["refresh", "look", "refresh", "look"]
