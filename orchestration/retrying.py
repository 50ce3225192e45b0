"""Another try where another try helps: a disk or a share that was away for a moment, a file somebody still had open.

A check that failed, a policy that is wrong or a disk that is full fails again, so those are not retried.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from orchestration.progress import say

T = TypeVar("T")
ATTEMPTS = 3
WAIT_SECONDS = 20.0
_NO_USE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_FULL = "no space left"


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_USE:
            return False
        if _FULL in str(cause).lower():
            return False
        if isinstance(cause, OSError | duckdb.IOException):
            return True
        cause = cause.__cause__
    return False


def with_retries(step: str, call: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Call until it succeeds, at most ``ATTEMPTS`` times, waiting longer each time; the last error is raised."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except Exception as error:
            if attempt == ATTEMPTS or not may_pass(error):
                raise
            say(step, f"{error}; trying again in {WAIT_SECONDS * attempt:.0f} seconds")
            sleep(WAIT_SECONDS * attempt)
    raise AssertionError("not reached")
