"""One night at a time, also when the holder is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestration import lock
from orchestration.lock import REFRESH, NightIsBusy, night_lock
from orchestration.settings import PROJECT_DIR

HOLD = """
import sys, time
from pathlib import Path
from orchestration.lock import night_lock
with night_lock(Path(sys.argv[1]), by=sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path, by: str = "night") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), by],
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


def kill_after(seconds: float, process: subprocess.Popen[str]) -> None:
    threading.Timer(seconds, process.kill).start()


def test_a_night_waits_for_a_refresh_and_a_refresh_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "night.lock"
    process = holder(path, REFRESH)
    told = pytest.raises(NightIsBusy, match=rf"another refresh is running \(process {process.pid}\)")
    with told, night_lock(path, by=REFRESH):
        pass
    assert process.poll() is None
    kill_after(1.0, process)
    with night_lock(path):
        assert process.wait() == -signal.SIGKILL


def test_a_night_does_not_wait_for_a_refresh_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "night.lock"
    process = holder(path, REFRESH)
    monkeypatch.setattr(lock, "_REFRESH_SECONDS", 0.3)
    with pytest.raises(NightIsBusy, match="another refresh is running"), night_lock(path):
        pass
    process.kill()
    process.wait()


def test_a_night_that_is_to_wait_for_another_waits(tmp_path: Path) -> None:
    path = tmp_path / "night.lock"
    process = holder(path)
    kill_after(1.0, process)
    with night_lock(path, wait_seconds=60):
        assert process.wait() == -signal.SIGKILL
