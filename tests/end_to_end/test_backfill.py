"""A past night computed again says what that night said, and readers notice nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company, run_night, run_scorecard
from tests.end_to_end.test_within_the_day import OF_THE_RUN, digests, told


@pytest.mark.soak
def test_a_past_night_is_computed_again_beside_what_readers_see(small_extracts: Path, tmp_path: Path) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    files = sorted(path for path in small_extracts.rglob("*") if path.is_file())

    def deliver(is_last_day: bool) -> None:
        for path in files:
            if ("2026-06-30" in path.name) == is_last_day:
                target = company.extracts_dir / path.relative_to(small_extracts)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)

    current = company.published_dir / "current"
    deliver(is_last_day=False)
    assert run_night(company).exit_code == 0
    first = {name: digests(current / name) for name in ("marts.duckdb", "incentives.duckdb")}
    deliver(is_last_day=True)
    assert run_night(company).exit_code == 0
    in_place = current.resolve()
    assert digests(current / "marts.duckdb")["core.orders"] != first["marts.duckdb"]["core.orders"]

    done = run_scorecard(company, "backfill", "--from", "2026-06-29", "--json")
    assert done.exit_code == 0, done.output
    (night,) = told(done)["nights"]
    assert night["as_of"] == "2026-06-29" and night["is_as_run"]
    again = company.data_dir / "backfill" / "2026-06-29" / "published" / "current"
    for name, expected in first.items():
        found = digests(again / name)
        # The books of landing tell when a file was read.
        assert {t for t in expected if found.get(t) != expected[t]} <= OF_THE_RUN | {"meta.landed_files"}
    assert current.resolve() == in_place
