"""Nights killed at every named step, one after another: the last good release stays, and a normal night makes all good."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.publishing.history import verified_release
from orchestration.publishing.release import current_release
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company, run_night
from tests.end_to_end.published import published

pytestmark = pytest.mark.soak

# Only the night's own process is killed, as for want of memory: what it has started has to end by itself.
PROGRAM = """
import os, signal, sys
from orchestration import progress
from orchestration.cli import main

when, what = sys.argv[1:3]
del sys.argv[1:3]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def say(stage, message):
    if (when, what) == ("in", stage):
        die()

def broken(call):
    def calls(*arguments, **options):
        if when == "before":
            die()
        call(*arguments, **options)
        die()
    return calls

if __name__ == "__main__":
    if when != "in":
        import orchestration.defs.publish as module
        setattr(module, what, broken(getattr(module, what)))
    with progress.listening(say):
        main()
"""
STEPS = ("night", "landing", "plan", "marts", "gate", "candidate", "incentives", "publish")
CALLS = ("seal", "publish", "drop_old_releases", "finish_erasures")
MOMENTS = [("in", step) for step in STEPS] + [(when, call) for call in CALLS for when in ("before", "after")]


def _give_work(company: Company, number: int) -> None:
    """Another policy with the same figures."""
    path = company.seeds_dir / "policy" / "gate_thresholds.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"board,[^\n]*\n", f"board,Remark {number}\n", text, count=1), encoding="utf-8")


def test_a_night_killed_at_any_step_leaves_a_whole_release_and_the_next_makes_it_good(
    small_extracts: Path, tmp_path: Path
) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    company.extracts_dir.symlink_to(small_extracts)
    first = run_night(company)
    assert first.exit_code == 0, first.output
    golden = published(company)
    program = tmp_path / "night_that_dies.py"
    program.write_text(PROGRAM, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCORECARD_")}
    for number, (when, what) in enumerate(MOMENTS):
        before = current_release(company)
        assert before is not None
        _give_work(company, number)
        night = subprocess.run(
            [sys.executable, str(program), when, what, "nightly", "--company", str(company.folder)],
            env={**environment, "PYTHONPATH": str(PROJECT_DIR)}, capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert night.returncode == -signal.SIGKILL, f"{when} {what}: {night.stdout}{night.stderr}"
        release = current_release(company)
        assert release is not None
        verified_release(company, release.release_id)
        # The step of this name says that it is done.
        is_published = what in ("drop_old_releases", "finish_erasures") or (what == "publish" and when != "before")
        assert (release.release_id > before.release_id) == is_published, f"{when} {what}"
        assert published(company) == golden, f"{when} {what}"
    _give_work(company, len(MOMENTS))
    last = run_night(company)
    assert last.exit_code == 0, last.output
    assert published(company) == golden
    assert not [path for path in (company.published_dir / "releases").iterdir() if path.name.startswith(".")]
