"""The planted truth of sample chains of many seeds: the ruinous touchpoint comes first, its department has the largest share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest

from orchestration.landing import land
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.night import end_of_day
from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR
from orchestration.value.published import keep_published_value
from tests.conftest import copy_company
from tests.models.conftest import dbt

SEEDS = int(os.environ.get("JOURNEY_SEEDS", "100"))
NEEDED_RATIO = 0.95
SCALE = 0.2


def found_in(folder: Path, seeds: Sequence[int]) -> list[tuple[int, str, str | None]]:
    """Each seed with the touchpoint of rank 1 and the department with the largest share, in one folder: dbt parses once."""
    company = copy_company(PROJECT_DIR, folder)
    found = []
    for seed in seeds:
        spec = SampleSpec(seed=seed, scale=SCALE)
        write_sample(company.extracts_dir, spec)
        land(company)
        with duckdb.connect(str(company.warehouse_path)) as connection:
            connection.execute("create schema if not exists control")
            connection.execute(
                "create table control.night as select ?::date as as_of, ?::timestamp as known_until, 'one' as code_version",
                [spec.last_day, end_of_day(company, spec.last_day)],
            )
            write_ledger_tables(company, connection)
            keep_published_value(connection, company)
        dbt(company, "seed")
        dbt(company, "run", "--select", "+key_touchpoints", "+blame_split")
        with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
            (touchpoint,) = connection.execute(
                "select touchpoint_code from journey.key_touchpoints where touchpoint_rank = 1"
            ).fetchall()[0]
            departments = connection.execute(
                "select department_code from journey.blame_split where department_code is not null "
                "group by department_code order by sum(share) desc, department_code limit 1"
            ).fetchall()
        found.append((seed, touchpoint, departments[0][0] if departments else None))
        print(*found[-1], flush=True)
        shutil.rmtree(company.extracts_dir)
        company.warehouse_path.unlink()
    return found


@pytest.mark.soak
def test_the_ruinous_touchpoint_comes_first_and_its_department_has_the_largest_share(tmp_path: Path) -> None:
    workers = os.cpu_count() or 1
    parts = [range(1 + worker, SEEDS + 1, workers) for worker in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(found_in, tmp_path / str(number), part) for number, part in enumerate(parts)]
        found = sorted(one for task in tasks for one in task.result())
    assert [seed for seed, _, _ in found] == list(range(1, SEEDS + 1))
    assert sum(touchpoint == "delivery" for _, touchpoint, _ in found) >= NEEDED_RATIO * SEEDS, found
    assert sum(department == "logistics" for _, _, department in found) >= NEEDED_RATIO * SEEDS, found
