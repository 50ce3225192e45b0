"""One night at a time: an exclusive ``flock`` that dies with its holder."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NightIsBusy(Exception):
    """Another process holds the lock; the message names it and its process id."""


# A process may ask again for a lock that it holds (the command line takes it first, so that a second caller is told at
# once; the Dagster run inside asks for it too). Counted per path.
_held: dict[Path, int] = {}
_guard = threading.Lock()


@contextmanager
def night_lock(path: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock file for the duration of the block, waiting for it as long as asked.

    The kernel drops the lock when the holder dies, ``kill -9`` included; the file itself is never removed, since removing
    it would let two processes lock two files of one name.

    Raises:
        NightIsBusy: another process has it; without ``wait_seconds`` at once.

    """
    path = path.resolve()
    with _guard:
        if path in _held:
            _held[path] += 1
            reentered = True
        else:
            reentered = False
    if reentered:
        try:
            yield
        finally:
            with _guard:
                _held[path] -= 1
        return

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(descriptor):
            if time.monotonic() < deadline:
                time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))
                continue
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
            raise NightIsBusy(f"{path}: another night is running (process {holder})")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        with _guard:
            _held[path] = 1
        try:
            yield
        finally:
            with _guard:
                del _held[path]
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
