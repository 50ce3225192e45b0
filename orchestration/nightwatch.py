"""Who watches a night that nobody watches: its heartbeat, its log, its place in the list of nights, and the alert at its end.

Everything lies in the company's private state folder: ``heartbeat.json`` (what a monitor reads), ``logs/<start>.log`` (what a
person reads), ``nights.jsonl`` (one line per night that ended).
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from orchestration.alerts import checks_named, send_alert
from orchestration.progress import listening, say
from orchestration.publishing.files import write_durably
from orchestration.settings import Company
from orchestration.spreadsheet import one_line
from orchestration.state import NightReport, begin_report, load_report

LOGS_KEPT = 30
_NIGHTS_KEPT = 400
# A step that says nothing for longer than this hangs, or its machine does.
BEAT_SECONDS = 30.0
STALE_AFTER = timedelta(minutes=10)
# A night a day; somebody should ask after the second that did not come.
LATE_AFTER = timedelta(hours=36)
_BAD = {"failed", "published_without_incentives"}


@dataclass(frozen=True)
class Heartbeat:
    """``state`` is running, or the outcome of the night. Times are ISO 8601, UTC."""

    run_id: str
    state: str
    step: str
    process_id: int
    started_at: str
    beat_at: str
    ended_at: str | None = None
    release_id: str | None = None


@dataclass(frozen=True)
class EndedNight:
    """One line of ``nights.jsonl``."""

    run_id: str
    started_at: str
    ended_at: str
    outcome: str
    as_of: str | None
    release_id: str | None
    reasons: list[str]


def heartbeat_path(company: Company) -> Path:
    """Where a monitor looks."""
    return company.state_dir / "heartbeat.json"


def read_heartbeat(company: Company) -> Heartbeat | None:
    """The last heartbeat; ``None`` before the first night, and for a damaged one, which must keep no night from running."""
    path = heartbeat_path(company)
    try:
        return Heartbeat(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError):
        say("night", f"{path} is damaged and counts as none")
        return None


def ended_nights(company: Company) -> list[EndedNight]:
    """Nights that ended, the oldest first. A line that a crash cut off is left out."""
    path = company.state_dir / "nights.jsonl"
    nights = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            nights.append(EndedNight(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return nights


def health(company: Company, now: datetime | None = None) -> tuple[str, str]:
    """How the nights are, in one word and one sentence: never_ran, running, stale, died, late, or ok.

    ``stale``: a night runs and says nothing. ``died``: it says that it runs and its process is gone. ``late``: the last one
    ended too long ago.
    """
    moment = now or datetime.now(UTC)
    beat = read_heartbeat(company)
    if beat is None:
        return "never_ran", "no night has run yet"
    silent = moment - datetime.fromisoformat(beat.beat_at)
    if beat.state == "running":
        if not _is_alive(beat.process_id):
            return "died", f"the night of {beat.started_at} died in step {beat.step}; the next one starts over"
        if silent > STALE_AFTER:
            return "stale", f"a night runs in step {beat.step} and has not been heard of for {_span(silent)}"
        return "running", f"a night runs since {beat.started_at}, in step {beat.step}"
    if silent > LATE_AFTER:
        return "late", f"the last night ended {_span(silent)} ago"
    return "ok", f"the last night ended {_span(silent)} ago: {beat.state.replace('_', ' ')}"


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def tell_if_hung(company: Company) -> None:
    """For a night that finds another one running: nobody else tells that this one has long said nothing."""
    state, sentence = health(company)
    if state == "stale":
        send_alert(company, "failure", sentence)


_watching = threading.local()


@dataclass
class Watch:
    """``report`` is how the night ended, from whoever runs it; without that, what its steps have left on the disk."""

    report: NightReport | None = None


@contextmanager
def watched(company: Company) -> Iterator[Watch]:
    """Watch the night that runs in the block: the outermost block of a process does, however the night was started. The
    caller holds the night lock, so that a heartbeat found running is of a night that died.
    """
    if getattr(_watching, "is_on", False):
        yield Watch()
        return
    _watching.is_on = True
    try:
        yield from _watch(company)
    finally:
        _watching.is_on = False


def _watch(company: Company) -> Iterator[Watch]:
    company.state_dir.mkdir(parents=True, exist_ok=True)
    before = read_heartbeat(company)
    if before is not None and before.state == "running":
        _note_end(company, EndedNight(
            before.run_id, before.started_at, before.beat_at, "failed", None, None, [f"died in step {before.step}"]
        ))  # fmt: skip
        send_alert(
            company, "failure", f"the night of {before.started_at} died in step {before.step}; it starts over now"
        )
    nights = ended_nights(company)
    started = _now()
    begin_report(company)
    watch = Watch()
    beat = _Beat(company, Heartbeat(uuid.uuid4().hex, "running", "start", os.getpid(), started, started))
    with _log_of(company, started) as log, listening(log, beat):
        say("night", f"begins, process {os.getpid()}")
        try:
            yield watch
        except BaseException as error:
            say("night", f"ends with {type(error).__name__}: {error}")
            watch.report = load_report(company)
            watch.report.reasons = watch.report.reasons or [f"{type(error).__name__}: {error}"]
            raise
        finally:
            report = watch.report or load_report(company)
            say("night", f"{report.outcome.replace('_', ' ')}, release {report.release_id or 'none'}")
            for reason in report.reasons:
                say("because", reason)
            ended = EndedNight(
                beat.value.run_id, started, _now(), report.outcome, report.as_of, report.release_id, report.reasons[:20]
            )
            _note_end(company, ended)
            beat.end(report)
            _tell(company, report, nights[-1] if nights else None)


def _tell(company: Company, report: NightReport, before: EndedNight | None) -> None:
    """Alert on what somebody must know: a bad end, and the first good one after it."""
    because = checks_named(report.reasons)
    if report.outcome == "failed":
        send_alert(company, "failure", f"the night failed, readers keep the last good release{because}")
    elif report.outcome == "published_without_incentives":
        send_alert(company, "warning", f"published, with the last good incentives instead of new ones{because}")
    elif before is not None and before.outcome in _BAD:
        send_alert(company, "success", f"recovered: {report.outcome}, release {report.release_id}")


def _note_end(company: Company, night: EndedNight) -> None:
    lines = [json.dumps(asdict(known), ensure_ascii=False) for known in [*ended_nights(company), night]]
    with suppress(OSError):
        write_durably(company.state_dir / "nights.jsonl", "\n".join(lines[-_NIGHTS_KEPT:]) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Beat:
    """Writes the heartbeat at every new step, and now and then within one."""

    def __init__(self, company: Company, first: Heartbeat) -> None:
        self._path, self.value, self._lock = heartbeat_path(company), first, threading.Lock()
        self._written = datetime.now(UTC)
        self._write()

    def __call__(self, stage: str, message: str) -> None:
        moment = datetime.now(UTC)
        with self._lock:
            if stage == self.value.step and (moment - self._written).total_seconds() < BEAT_SECONDS:
                return
            self.value = replace(self.value, step=stage, beat_at=moment.isoformat(timespec="seconds"))
            self._written = moment
            self._write()

    def end(self, report: NightReport) -> None:
        ended = _now()
        with self._lock:
            self.value = replace(
                self.value,
                state=report.outcome,
                step="end",
                beat_at=ended,
                ended_at=ended,
                release_id=report.release_id,
            )
            self._write()

    def _write(self) -> None:
        # A disk that is full must not keep the alert from being sent, nor leave the last night's heartbeat in this one's place:
        # what that took is room for this.
        text = json.dumps(asdict(self.value), indent=1) + "\n"
        try:
            write_durably(self._path, text)
        except OSError:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
                write_durably(self._path, text)


class _Log:
    """Writes what is said; a disk that has no room for it stops no night."""

    def __init__(self, path: Path) -> None:
        self._handle: TextIO | None = None
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._handle = os.fdopen(descriptor, "a", encoding="utf-8")

    def __call__(self, stage: str, message: str) -> None:
        if self._handle is None:
            return
        with suppress(OSError):
            self._handle.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {stage:<9} {one_line(message)}\n")
            self._handle.flush()

    def close(self) -> None:
        if self._handle is not None:
            with suppress(OSError):
                self._handle.close()


@contextmanager
def _log_of(company: Company, started: str) -> Iterator[_Log]:
    """The log of a night that begins; the oldest ones go."""
    folder = company.state_dir / "logs"
    for old in sorted(folder.glob("*.log"))[: -(LOGS_KEPT - 1)]:
        old.unlink()
    log = _Log(folder / f"{started.replace(':', '')[:17]}.log")
    try:
        yield log
    finally:
        log.close()
