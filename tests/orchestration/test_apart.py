"""A call in a process of its own."""

from __future__ import annotations

import os
import signal

import pytest

from orchestration.apart import ProcessDied, apart


def test_each_call_has_a_process_of_its_own() -> None:
    assert len({os.getpid(), apart(os.getpid), apart(os.getpid)}) == 3


def test_what_the_function_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        apart(int, "twelve")


def test_a_process_that_is_killed_is_told_from_one_that_failed() -> None:
    with pytest.raises(ProcessDied, match="process of raise_signal was killed"):
        apart(signal.raise_signal, signal.SIGKILL)
