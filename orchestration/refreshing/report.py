"""What a refresh did, kept beside the report of the night."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from orchestration.progress import say
from orchestration.publishing.files import write_durably
from orchestration.settings import Company

Outcome = Literal["refreshed", "unchanged", "refused"]


@dataclass
class RefreshReport:
    """What a refresh did. ``seconds`` by step, from its start to the release in place."""

    outcome: Outcome = "refused"
    release_id: str | None = None
    night_release_id: str | None = None
    as_of: str | None = None
    files_landed: int = 0
    rows_landed: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    reasons: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class Stopwatch:
    """Notes in the report how long each step took."""

    def __init__(self, report: RefreshReport) -> None:
        self._report, self._last = report, time.monotonic()

    def lap(self, step: str) -> None:
        """The step that just ended."""
        now = time.monotonic()
        self._report.seconds[step] = round(now - self._last, 2)
        self._last = now


def save_refresh_report(company: Company, report: RefreshReport) -> None:
    """Keep the report of the last refresh."""
    company.state_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(report), ensure_ascii=False, indent=1)
    write_durably(last_refresh_path(company), text + "\n")


def last_refresh_path(company: Company) -> Path:
    """Where the report of the last refresh lies."""
    return company.state_dir / "last_refresh.json"


def load_refresh_report(company: Company) -> RefreshReport | None:
    """The report of the last refresh; ``None`` before the first, and for a damaged one, which it says."""
    path = last_refresh_path(company)
    try:
        return RefreshReport(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError):
        say("refresh", f"{path} is damaged and counts as none")
        return None
