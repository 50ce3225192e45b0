"""One night at a time: an exclusive ``flock`` that dies with its holder."""

from __future__ import annotations

import fcntl
import os
import threading
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
def night_lock(path: Path) -> Iterator[None]:
    """Hold the lock file for the duration of the block.

    The kernel drops the lock when the holder dies, ``kill -9`` included; the file itself is never removed, since removing
    it would let two processes lock two files of one name.

    Raises:
        NightIsBusy: at once, when another process has it.

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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
            raise NightIsBusy(f"{path}: another night is running (process {holder})") from error
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
