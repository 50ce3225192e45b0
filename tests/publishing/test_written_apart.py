"""Files for BI are opened in a process that has read nothing but what they hold, whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import duckdb
import pytest

from orchestration import pay_file, sql_text
from orchestration.apart import SeparateProcess
from orchestration.publishing import candidate as candidates
from orchestration.publishing.candidate import (
    MARTS_FILE,
    Candidate,
    begin_refreshed_marts,
    write_marts,
    write_refreshed_marts,
)
from orchestration.publishing.seal import record_checked_file, seal, seal_refresh
from orchestration.settings import Company
from tests.conftest import WRITER
from tests.publishing.test_publish import REQUIRED, check, green, publish, sealed
from tests.publishing.test_refreshed_marts import a_candidate
from tests.publishing.test_refreshed_marts import company as company
from tests.publishing.test_refreshed_marts import standing as standing

P = ParamSpec("P")
R = TypeVar("R")

OPENED_HERE = "opened in this process"


@pytest.fixture(autouse=True)
def not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file for BI can be opened for writing in this process."""
    attach = sql_text.attach

    @wraps(attach)
    def guarded(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
        assert path.name != MARTS_FILE or options == "read_only", OPENED_HERE
        attach(connection, path, name, options)

    for module in (sql_text, candidates, pay_file):
        monkeypatch.setattr(module, "attach", guarded)


def test_the_files_of_a_night_and_of_a_refresh_are_written_elsewhere(company: Company, standing: Path) -> None:
    night, day = a_candidate(company, "night"), a_candidate(company, "day")
    assert write_marts(company, night, WRITER) == ["kpi.integrity_flags", "kpi.kpi_results"]
    begin_refreshed_marts(company, day, standing)
    write_refreshed_marts(company, day, {"kpi.integrity_flags"}, WRITER)
    for path in (night.marts_path, day.marts_path):
        with duckdb.connect(str(path), read_only=True) as release:
            assert release.execute("select value from kpi.integrity_flags").fetchall() == [(2,)]


def audited(company: Company, release_id: str) -> Candidate:
    """A candidate with files, green results and the hashes that the audit noted."""
    candidate = a_candidate(company, release_id)
    check(company, candidate, green("marts"), green("incentives"))
    candidate.folder.mkdir(parents=True)
    for path in (candidate.marts_path, candidate.incentives_path):
        duckdb.connect(str(path)).close()
        record_checked_file(company, release_id, path)
    return candidate


def test_what_the_gate_said_is_written_elsewhere(company: Company) -> None:
    publish(company, sealed(company, "a"))
    assert seal(company, audited(company, "night"), REQUIRED, WRITER).incentives_reasons == []
    day = seal_refresh(company, audited(company, "day"), REQUIRED, "a", [], WRITER)
    assert day.verdict.incentives_release_id == "a"


class _Here(SeparateProcess):
    """Calls in this process: what the others must not do."""

    def call(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        return function(*arguments, **options)


def test_the_guard_of_these_tests_sees_a_file_that_is_opened_here(company: Company) -> None:
    night = a_candidate(company, "night")
    with pytest.raises(AssertionError, match=OPENED_HERE):
        write_marts(company, night, _Here())
    with pytest.raises(AssertionError, match=OPENED_HERE):
        write_refreshed_marts(company, night, set(), _Here())
    with pytest.raises(AssertionError, match=OPENED_HERE):
        seal(company, audited(company, "sealed"), REQUIRED, _Here())
