"""The history of runs is Dagster's own, whoever opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import text
from sqlalchemy.event import listen

from orchestration.event_log import EventLog
from orchestration.nightly import dagster_command
from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company

KEY = dg.AssetKey("counted")


@dg.asset(check_specs=[dg.AssetCheckSpec("is_whole", asset="counted")])
def counted() -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True, check_name="is_whole")]
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dagster's home of a company."""
    monkeypatch.setenv("DAGSTER_HOME", "set by the command")
    monkeypatch.setenv("DO_NOT_TRACK", "set by the command")
    monkeypatch.chdir(tmp_path)
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    dagster_command(company, "--version")
    return company.dagster_home


def test_tables_are_asked_for_once_and_the_disk_is_not_waited_for(home: Path) -> None:
    asked: list[str] = []
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, EventLog)
        dg.materialize([counted], instance=instance)
        listen(
            storage._engine,
            "before_cursor_execute",
            lambda connection, cursor, statement, *more: asked.append(statement),
        )
        dg.materialize([counted], instance=instance)
        with storage._connect() as connection:
            assert connection.execute(text("pragma synchronous")).scalar() == 1
            assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert not storage.has_table("of_no_such_name")
    assert len(asked) > 10
    assert [statement for statement in asked if "sqlite_master" in statement] == asked[-1:]


def test_what_a_run_says_is_there_for_the_next_process_and_for_dagster_s_own_reader(home: Path) -> None:
    runs = []
    for _ in range(2):
        with dg.DagsterInstance.get() as instance:
            assert isinstance(instance.event_log_storage, EventLog)
            runs.append(dg.materialize([counted], instance=instance).run_id)
            assert len(instance.fetch_materializations(KEY, limit=9).records) == len(runs)
    own = ConsolidatedSqliteEventLogStorage(str(home))
    assert own.get_latest_materialization_events([KEY])[KEY].run_id == runs[-1]
    checked = own.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "is_whole"), limit=9)
    assert [record.run_id for record in checked] == runs[::-1]
