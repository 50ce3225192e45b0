"""Running a part of the graph around the gate publishes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.publishing.release import current_release
from orchestration.settings import PROJECT_DIR
from tests.conftest import FirstNight

pytestmark = pytest.mark.xdist_group("sample_night")


@pytest.mark.parametrize("selection", ["published/release", "candidate/marts,published/release"])
def test_a_part_of_the_graph_run_alone_publishes_nothing(
    first_night: FirstNight, tmp_path: Path, selection: str
) -> None:
    company = first_night.company
    before = current_release(company)
    assert before is not None
    process = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "asset", "materialize", "--select", selection,
         "-m", "orchestration.definitions"],
        env={**os.environ, "SCORECARD_COMPANY": str(company.folder), "DAGSTER_HOME": str(tmp_path)},
        cwd=PROJECT_DIR, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    output = process.stdout + process.stderr
    assert process.returncode != 0, output
    assert "did not run" in output, output
    after = current_release(company)
    assert after is not None
    assert after.release_id == before.release_id
