"""A call in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.apart import ProcessDied, SeparateProcess, apart
from orchestration.settings import PROJECT_DIR


def note_and_wait(path: str) -> None:
    """Say which process this is, and stay."""
    Path(path).with_suffix(".part").write_text(str(os.getpid()))
    os.replace(Path(path).with_suffix(".part"), path)
    time.sleep(300)


def is_running(process_id: int) -> bool:
    """Whether the process is there and not a zombie that nobody has asked for."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it holds within the time."""
    deadline = time.monotonic() + seconds
    while not (does_hold := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return does_hold


def test_each_call_has_a_process_of_its_own() -> None:
    assert len({os.getpid(), apart(os.getpid), apart(os.getpid)}) == 3


def test_calls_of_one_process_are_in_that_one_and_no_other() -> None:
    with SeparateProcess() as process:
        begun = process.begin(os.getpid)
        first, second = process.call(os.getpid), process.call(os.getpid)
        assert begun() == first == second != os.getpid()
    assert not is_running(first)


def test_what_the_function_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        apart(int, "twelve")


def test_a_process_that_is_killed_is_told_from_one_that_failed() -> None:
    with pytest.raises(ProcessDied, match="process of raise_signal was killed"):
        apart(signal.raise_signal, signal.SIGKILL)


def test_the_process_ends_when_the_one_that_waits_for_it_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "process"
    call = f"apart(note_and_wait, {str(note)!r})"
    imports = "from orchestration.apart import apart; from tests.orchestration.test_apart import note_and_wait"
    waiting = subprocess.Popen([sys.executable, "-c", f"{imports}; {call}"], cwd=PROJECT_DIR)
    assert wait_for(note.is_file)
    process_id = int(note.read_text())
    assert is_running(process_id)
    waiting.kill()
    waiting.wait()
    assert wait_for(lambda: not is_running(process_id))


@pytest.mark.parametrize("ends", ["", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_process_beside_this_one_ends_with_it(tmp_path: Path, ends: str) -> None:
    note = tmp_path / "process"
    # Dagster gives SIGTERM what SIGINT has: nothing, where a shell began it in the background.
    imports = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "from pathlib import Path; from orchestration.apart import begin_beside; "
        "from tests.orchestration.test_apart import note_and_wait, wait_for"
    )
    call = f"begin_beside(note_and_wait, {str(note)!r}); wait_for(Path({str(note)!r}).is_file)"
    subprocess.run([sys.executable, "-c", f"{imports}; {call}; {ends}"], cwd=PROJECT_DIR, check=False, timeout=60)
    process_id = int(note.read_text())
    assert wait_for(lambda: not is_running(process_id))
