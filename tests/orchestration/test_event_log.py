"""The history of runs is Dagster's own, whoever opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

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


def test_what_a_run_says_is_there_for_the_next_process_and_for_dagster_s_own_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "set by the command")
    monkeypatch.setenv("DO_NOT_TRACK", "set by the command")
    monkeypatch.chdir(tmp_path)
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    dagster_command(company, "--version")
    runs = []
    for _ in range(2):
        with dg.DagsterInstance.get() as instance:
            assert isinstance(instance.event_log_storage, EventLog)
            runs.append(dg.materialize([counted], instance=instance).run_id)
            assert len(instance.fetch_materializations(KEY, limit=9).records) == len(runs)
    own = ConsolidatedSqliteEventLogStorage(str(company.dagster_home))
    assert own.get_latest_materialization_events([KEY])[KEY].run_id == runs[-1]
    checked = own.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "is_whole"), limit=9)
    assert [record.run_id for record in checked] == runs[::-1]
