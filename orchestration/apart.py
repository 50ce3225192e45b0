"""Calls in a process of their own, for work whose traces must not stay in this one's memory."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
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

    def begin(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> Callable[[], R]:
        """Call ``function`` there while this process does other things. What is returned waits for what it returns or raises.

        Raises:
            ProcessDied: when asked, the process was killed.

        """
        begun = self._pool.submit(function, *arguments, **options)

        def ended() -> R:
            try:
                return begun.result()
            except BrokenProcessPool as error:
                raise ProcessDied(f"the process of {function.__name__} was killed") from error

        return ended

    def call(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """What ``function`` returns or raises there.

        Raises:
            ProcessDied: the process was killed.

        """
        return self.begin(function, *arguments, **options)()


def apart(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """What ``function`` returns or raises, called in a process that ends with the call.

    Raises:
        ProcessDied: the process was killed.

    """
    with SeparateProcess() as process:
        return process.call(function, *arguments, **options)


def begin_beside(function: Callable[P, object], *arguments: P.args, **options: P.kwargs) -> BaseProcess:
    """A new process that calls ``function`` while this one goes on, and ends with it, however that ends."""
    process = get_context("spawn").Process(target=_call_beside, args=(function, arguments, options))
    process.start()
    # What is registered last runs first: Python waits at its end for all processes that it began. Killed, since one that was
    # begun where SIGTERM is ignored ignores it, too, and what it leaves half done is as after any kill.
    atexit.register(process.kill)
    return process


def _call_beside(function: Callable[..., object], arguments: tuple[object, ...], options: dict[str, object]) -> None:
    _end_with_parent()
    function(*arguments, **options)


def _end_with_parent() -> None:
    def wait() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
