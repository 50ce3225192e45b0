"""One night at a time, also when the holder is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lock import NightIsBusy, night_lock
from orchestration.settings import PROJECT_DIR

HOLD = """
import sys, time
from pathlib import Path
from orchestration.lock import night_lock
with night_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT_DIR)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_night_is_told_who_is_running_and_a_killed_one_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "night.lock"
    process = holder(path)
    with pytest.raises(NightIsBusy, match=str(process.pid)), night_lock(path):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    with night_lock(path):
        pass


def test_the_process_that_holds_the_lock_may_ask_again(tmp_path: Path) -> None:
    path = tmp_path / "night.lock"
    with night_lock(path), night_lock(path):
        pass
    process = holder(path)
    process.kill()
    process.wait()
