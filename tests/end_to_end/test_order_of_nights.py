"""Deliveries of the sample chain, in one night and shuffled over several: the published tables are the same."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from orchestration.landing import land
from orchestration.settings import PROJECT_DIR, Company
from orchestration.state import load_report
from tests.conftest import copy_company, run_night
from tests.end_to_end.published import published


@pytest.mark.xdist_group("order_of_nights")
def test_shuffled_nights_publish_what_one_night_publishes(small_extracts: Path, tmp_path: Path) -> None:
    files = sorted(path for path in small_extracts.rglob("*") if path.is_file())
    random.Random(11).shuffle(files)
    at_once = copy_company(PROJECT_DIR, tmp_path / "at_once")
    by_nights = copy_company(PROJECT_DIR, tmp_path / "by_nights")

    def deliver(company: Company, paths: list[Path]) -> None:
        for path in paths:
            target = company.extracts_dir / path.relative_to(small_extracts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    deliver(at_once, files)
    assert run_night(at_once).exit_code == 0

    third = len(files) // 3
    deliver(by_nights, files[:third])
    land(by_nights)
    deliver(by_nights, files[third : 2 * third])
    # Whether its checks pass or not, it has built on part of the files.
    part = run_night(by_nights)
    assert load_report(by_nights).built > 0, part.output
    deliver(by_nights, files[2 * third :])
    night = run_night(by_nights)
    assert night.exit_code == 0, night.output

    expected = published(at_once)
    assert len(expected) > 15 and expected["kpi.kpi_results"][0] > 0
    assert published(by_nights) == expected
