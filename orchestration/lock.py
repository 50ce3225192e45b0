"""One night at a time: an exclusive ``flock`` that dies with its holder."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class NightIsBusy(Exception):
    """Another process holds the lock; the message names it and its process id."""


# A process may ask again for a lock that it holds (the command line takes it first, so that a second caller is told at
# once; the Dagster run inside asks for it too). Counted per path.
_held: dict[Path, int] = {}
_guard = threading.Lock()


# A refresh is through in seconds, and a night must not fail for one that happens to run when it begins.
REFRESH = "refresh"
_REFRESH_SECONDS = 300.0
_LOOK_SECONDS = 0.1


@contextmanager
def night_lock(path: Path, wait_seconds: float = 0.0, by: str = "night") -> Iterator[None]:
    """Hold the lock file for the duration of the block, waiting for it as long as asked, and for a refresh until it is through.
    ``by`` is what others are told is running; a ``REFRESH`` itself waits for none.

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
        began = time.monotonic()
        while not _try_lock(descriptor):
            process, _, running = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip().partition(" ")
            is_brief = running == REFRESH and by != REFRESH
            if time.monotonic() - began >= max(wait_seconds, _REFRESH_SECONDS if is_brief else 0.0):
                raise NightIsBusy(f"{path}: another {running or 'night'} is running (process {process or 'unknown'})")
            time.sleep(_LOOK_SECONDS)
        # The lock is held without it: a full disk has to be found by the night, which tells somebody.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {by}\n".encode("ascii"), 0)
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
