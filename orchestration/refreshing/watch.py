"""Watch over the survey's files: answers wait neither for a process to start nor for the copy of a new night."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from orchestration.lock import REFRESH, NightIsBusy, night_lock
from orchestration.progress import say
from orchestration.refreshing.day import survey_signature
from orchestration.refreshing.run import RefreshRefused, refresh, warm_up
from orchestration.settings import Company


def keep_watch(company: Company, seconds: float, refresh_once: Callable[[Company], bool]) -> NoReturn:
    """Look for new survey files every so many ``seconds``, until somebody stops it. ``refresh_once`` says whether the files as
    they are now need no second try: busy is asked again, a refusal only after the files have changed.

    Raises:
        NightIsBusy: somebody keeps watch already.

    """
    with night_lock(company.watch_lock_path, by="watch"):
        seen = ""
        warm_for: int | None = None
        while True:
            signature = survey_signature(company)
            if signature != seen and refresh_once(company):
                seen = signature
            night = _written_at(company)
            if night != warm_for:
                with suppress(NightIsBusy), night_lock(company.lock_path, by=REFRESH):
                    warm_up(company)
                    warm_for = night
            time.sleep(seconds)


def watch_alone(company: Company) -> None:
    """Keep watch where nobody reads what a command prints; who keeps watch already is left to it."""
    with suppress(NightIsBusy):
        keep_watch(company, 1.0, _refresh_unless_busy)


def is_watched(company: Company) -> bool:
    """Whether some process keeps watch; this one does not."""
    try:
        with night_lock(company.watch_lock_path):
            return False
    except NightIsBusy:
        return True


def _refresh_unless_busy(company: Company) -> bool:
    try:
        with night_lock(company.lock_path, by=REFRESH):
            refresh(company)
    except NightIsBusy:
        return False
    except RefreshRefused as error:
        say("refresh", f"refused: {error}")
    return True


def _written_at(company: Company) -> int:
    """Another time after every night, in nanoseconds; 0 before the first."""
    return company.warehouse_path.stat().st_mtime_ns if company.warehouse_path.is_file() else 0
