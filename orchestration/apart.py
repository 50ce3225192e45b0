"""Calls in a process of their own, for work whose traces must not stay in this one's memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class ProcessDied(Exception):
    """The process was killed before it returned, for instance for want of memory."""


def apart(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """What ``function`` returns or raises, called in a new process that shares no memory with this one and ends with the call,
    or with this process when that is killed: what it has open must not stand in the way of the next night.

    Raises:
        ProcessDied: the process was killed.

    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            return pool.submit(function, *arguments, **options).result()
        except BrokenProcessPool as error:
            raise ProcessDied(f"the process of {function.__name__} was killed") from error


def _end_with_parent() -> None:
    def wait() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
