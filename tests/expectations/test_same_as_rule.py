"""What a rule of the gate says of the published file, a dbt test that asks the same says too."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from expectations.gate import audit_refresh
from orchestration.refreshing import REFRESHED_TABLES

RULE = "kpi_results.are_there_once"


@pytest.mark.parametrize("is_twice", [False, True])
def test_a_row_that_is_there_twice_fails_the_rule_and_the_test(
    built_night: Path, tmp_path: Path, is_twice: bool
) -> None:
    marts = Path(shutil.copy(built_night / "marts.duckdb", tmp_path))
    if is_twice:
        with duckdb.connect(str(marts)) as connection:
            connection.execute("insert into kpi.kpi_results select * from kpi.kpi_results limit 1")
    audited = audit_refresh(
        built_night / "warehouse.duckdb", marts, None, REFRESHED_TABLES, {}, {"test.unique": RULE}, []
    )
    found = {result.name: result for result in audited.results}
    test, rule = found["test.unique"], found[RULE]
    assert (test.kind, test.passed, rule.passed) == ("dbt_test", not is_twice, not is_twice)
    assert (test.failed, test.checked) == (rule.failed, rule.checked)
    assert test.checked
