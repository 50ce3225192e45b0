"""The planted truth of sample chains of many seeds: the ruinous touchpoint comes first, its department has the largest share."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_truth import NEEDED_RATIO, OWNER, RUINOUS, Found, find

SEEDS = 20


@pytest.mark.soak
def test_the_ruinous_touchpoint_comes_first_and_its_department_has_the_largest_share(tmp_path: Path) -> None:
    found: list[Found] = []
    find(tmp_path, range(1, SEEDS + 1), found.append)
    assert [one.seed for one in found] == list(range(1, SEEDS + 1))
    assert sum(one.touchpoint == RUINOUS for one in found) >= NEEDED_RATIO * SEEDS, found
    assert sum(one.department == OWNER for one in found) >= NEEDED_RATIO * SEEDS, found
