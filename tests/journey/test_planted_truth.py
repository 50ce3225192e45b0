"""The planted truth of sample chains of many seeds: the ruinous touchpoint comes first, its department has the largest share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.landing import land
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR
from orchestration.value.published import keep_published_value
from tests.conftest import copy_company
from tests.models.conftest import dbt

SEEDS = int(os.environ.get("JOURNEY_SEEDS", "100"))
NEEDED_RATIO = 0.95
SCALE = 0.2


@pytest.mark.soak
def test_the_ruinous_touchpoint_comes_first_and_its_department_has_the_largest_share(tmp_path: Path) -> None:
    first, largest, seen = 0, 0, []
    # One folder for all seeds: dbt parses the project once.
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    for seed in range(1, SEEDS + 1):
        spec = SampleSpec(seed=seed, scale=SCALE)
        write_sample(company.extracts_dir, spec)
        land(company)
        with duckdb.connect(str(company.warehouse_path)) as connection:
            connection.execute("create schema if not exists control")
            connection.execute(
                "create table control.night as select ?::date as as_of, 'one' as code_version", [spec.last_day]
            )
            write_ledger_tables(company, connection)
            keep_published_value(connection, company)
        dbt(company, "seed")
        dbt(company, "run", "--select", "+key_touchpoints", "+blame_split")
        with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
            (touchpoint,) = connection.execute(
                "select touchpoint_code from journey.key_touchpoints where touchpoint_rank = 1"
            ).fetchall()[0]
            department = connection.execute(
                "select department_code from journey.blame_split where department_code is not null "
                "group by department_code order by sum(share) desc, department_code limit 1"
            ).fetchall()
        first += touchpoint == "delivery"
        largest += department == [("logistics",)]
        seen.append((seed, touchpoint, department))
        print(*seen[-1], flush=True)
        shutil.rmtree(company.extracts_dir)
        company.warehouse_path.unlink()
    assert first >= NEEDED_RATIO * SEEDS, seen
    assert largest >= NEEDED_RATIO * SEEDS, seen
