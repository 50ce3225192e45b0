"""Progress that a person can follow and a log can keep: one line per event, with the time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from orchestration.spreadsheet import one_line

_QUIET_SECONDS = 2.0
Listener = Callable[[str, str], None]
_listeners: list[Listener] = []


def say(stage: str, message: str) -> None:
    """Print one line of progress at once."""
    print(f"{datetime.now():%H:%M:%S}  {stage:<9} {one_line(message)}", file=sys.stderr, flush=True)
    for listener in tuple(_listeners):
        listener(stage, message)


@contextmanager
def listening(*listeners: Listener) -> Iterator[None]:
    """Tell the listeners every line of progress, too."""
    _listeners.extend(listeners)
    try:
        yield
    finally:
        for listener in listeners:
            _listeners.remove(listener)


class DbtProgress:
    """Callback for dbt's events: a line every two seconds with what is done, and one per failure.

    ``raw_events`` keeps the result events in the form dagster-dbt reads.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.done = 0
        self.total = 0
        self.raw_events: list[dict[str, Any]] = []
        self._said_at = time.monotonic()

    def __call__(self, event: Any) -> None:
        """Take one dbt event."""
        from google.protobuf.json_format import MessageToDict

        if event.info.name not in {"LogSeedResult", "LogModelResult", "LogTestResult"}:
            return
        raw = MessageToDict(event, preserving_proto_field_name=True)
        self.raw_events.append(raw)
        self.done = max(self.done, int(raw["data"].get("index", 0)))
        self.total = int(raw["data"].get("total", raw["data"].get("num_models", self.total)) or self.total)
        if str(raw["data"].get("status", "")).lower().startswith(("error", "fail")):
            say(self.stage, f"FAILED {raw['data'].get('name') or raw['data'].get('description', '')}")
        if time.monotonic() - self._said_at >= _QUIET_SECONDS:
            say(self.stage, f"{self.done} of {self.total} seeds, models and tests")
            self._said_at = time.monotonic()
