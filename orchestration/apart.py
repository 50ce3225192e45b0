"""Calls in a process of their own, for work whose traces must not stay in this one's memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class ProcessDied(Exception):
    """The process was killed before it returned, for instance for want of memory."""


class SeparateProcess:
    """A new process that shares no memory with this one, for one call or several.

    It ends with the ``with`` block, or with this process when that is killed: what it has open must not stand in the way of
    the next night.
    """

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent)

    def __enter__(self) -> SeparateProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def begin(self, module: str) -> None:
        """Start it, and let it import what it will need, while this process has other things to do."""
        self._pool.submit(import_module, module)

    def call(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """What ``function`` returns or raises there.

        Raises:
            ProcessDied: the process was killed.

        """
        try:
            return self._pool.submit(function, *arguments, **options).result()
        except BrokenProcessPool as error:
            raise ProcessDied(f"the process of {function.__name__} was killed") from error


def apart(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """What ``function`` returns or raises, called in a process that ends with the call.

    Raises:
        ProcessDied: the process was killed.

    """
    with SeparateProcess() as process:
        return process.call(function, *arguments, **options)


def _end_with_parent() -> None:
    def wait() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
