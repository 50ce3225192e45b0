"""Alerts leave for every address, say what somebody must know, and never show an address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest

from orchestration import nightwatch
from orchestration.alerts import DEFAULT_VARIABLE, send_alert
from orchestration.defs.company import RELEASE_KEY, NightResource
from orchestration.lock import night_lock
from orchestration.nightwatch import STALE_AFTER, ended_nights, health, heartbeat_path, read_heartbeat, watched
from orchestration.progress import say
from orchestration.refreshing import RefreshRefused, refresh
from orchestration.settings import PROJECT_DIR, Company, SettingsError, load_company
from orchestration.state import NightReport, save_report
from tests.conftest import copy_company, run_scorecard

SECRET = "hunter2"


@dataclass
class Receiver:
    """What arrived at a loopback address."""

    url: str
    messages: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.messages.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    arrived = Receiver(f"json://user:{SECRET}@127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield arrived
    server.shutdown()


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def night(company: Company, report: NightReport) -> None:
    with watched(company):
        say("landing", "3 files")
        save_report(company, report)


def test_a_failed_night_an_unpaid_one_and_the_recovery_are_told_once_each_and_a_good_night_is_not(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEFAULT_VARIABLE, receiver.url)
    night(company, NightReport("published", release_id="r1"))
    assert receiver.messages == []
    night(company, NightReport("failed", reasons=["order_lines.are_fresh: E00017 earned 1,234.56"]))
    night(
        company, NightReport("published_without_incentives", release_id="r2", reasons=["statements.x: 3 rows at fault"])
    )
    night(company, NightReport("published", release_id="r3"))
    night(company, NightReport("unchanged", release_id="r3"))
    texts = [message["message"] for message in receiver.messages]
    assert [message["type"] for message in receiver.messages] == ["failure", "warning", "success"]
    assert "order_lines.are_fresh" in texts[0]
    assert "E00017" not in texts[0] and "1,234" not in texts[0]
    assert texts[2] == "recovered: published, release r3"
    assert [n.outcome for n in ended_nights(company)] == [
        "published", "failed", "published_without_incentives", "published", "unchanged",
    ]  # fmt: skip
    printed = capfd.readouterr()
    kept = [path.read_text(encoding="utf-8") for path in company.state_dir.rglob("*") if path.is_file()]
    assert SECRET not in "".join([printed.out, printed.err, *kept])


def test_an_address_that_is_down_or_wrong_fails_no_night_and_is_not_shown(
    company: Company, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEFAULT_VARIABLE, f"json://user:{SECRET}@127.0.0.1:1/ nonsense://{SECRET}")
    assert not send_alert(company, "failure", "the night failed")
    shown = capfd.readouterr()
    assert SECRET not in shown.out + shown.err
    assert "1 of 2 addresses" in shown.err


def test_a_variable_that_company_yml_names_and_nobody_set_is_said(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPS_URL", receiver.url)
    assert send_alert(replace(company, alert_variables=("OPS_URL",)), "success", "all well")
    assert not send_alert(replace(company, alert_variables=("OPS_URL", "PAYROLL_URL")), "success", "all well")
    assert len(receiver.messages) == 2
    assert "PAYROLL_URL of company.yml is not set" in capfd.readouterr().err


def test_an_address_in_company_yml_is_refused(company: Company) -> None:
    path = company.folder / "company.yml"
    path.write_text(
        path.read_text(encoding="utf-8") + f"alerts: ['json://user:{SECRET}@example.com']\n", encoding="utf-8"
    )
    with pytest.raises(SettingsError, match="names of environment variables") as refused:
        load_company(company.folder)
    assert SECRET not in str(refused.value)


def test_a_night_that_died_is_noted_by_the_next_one_and_told(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEFAULT_VARIABLE, receiver.url)
    night(company, NightReport("published", release_id="r1"))
    beat = read_heartbeat(company)
    assert beat is not None and beat.state == "published" and beat.release_id == "r1"
    dead = replace(beat, state="running", step="marts", process_id=2**22 + 1)
    heartbeat_path(company).write_text(json.dumps(vars(dead)), encoding="utf-8")
    assert health(company)[0] == "died"
    night(company, NightReport("published", release_id="r2"))
    assert [message["type"] for message in receiver.messages] == ["failure", "success"]
    assert "died in step marts" in receiver.messages[0]["message"]
    assert [n.outcome for n in ended_nights(company)] == ["published", "failed", "published"]


def test_a_night_that_breaks_off_has_failed_whatever_the_last_one_did(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEFAULT_VARIABLE, receiver.url)
    night(company, NightReport("published", as_of="2026-06-30", release_id="r1"))
    with pytest.raises(RuntimeError), watched(company):
        raise RuntimeError("the share is gone")
    with watched(company):
        pass
    assert [(n.outcome, n.release_id, n.reasons) for n in ended_nights(company)] == [
        ("published", "r1", []), ("failed", None, ["RuntimeError: the share is gone"]), ("failed", None, []),
    ]  # fmt: skip
    assert [message["type"] for message in receiver.messages] == ["failure", "failure"]
    assert "RuntimeError" in receiver.messages[0]["message"]


def test_a_night_without_any_room_on_the_disk_fails_and_is_told(small_disk: Path, receiver: Receiver) -> None:
    company = copy_company(PROJECT_DIR, small_disk / "company")
    night(company, NightReport("published", release_id="r1"))
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as handle:
        while True:
            handle.write(bytes(4096))
    run = run_scorecard(company, "nightly", settings={DEFAULT_VARIABLE: receiver.url})
    assert run.exit_code == 1, run.output
    assert "No space left on device" in run.output and "Traceback" not in run.output
    assert [message["type"] for message in receiver.messages] == ["failure"]
    beat = read_heartbeat(company)
    assert beat is not None and (beat.state, beat.release_id) == ("failed", None)


def test_a_night_that_hangs_is_told_by_the_next_one(company: Company, receiver: Receiver) -> None:
    settings = {DEFAULT_VARIABLE: receiver.url}
    with night_lock(company.lock_path), watched(company):
        say("marts", "building")
        assert run_scorecard(company, "nightly", settings=settings).exit_code == 75
        assert receiver.messages == []
        beat = read_heartbeat(company)
        assert beat is not None
        silent = replace(beat, beat_at=(datetime.fromisoformat(beat.beat_at) - 2 * STALE_AFTER).isoformat())
        heartbeat_path(company).write_text(json.dumps(vars(silent)), encoding="utf-8")
        assert run_scorecard(company, "nightly", settings=settings).exit_code == 75
        save_report(company, NightReport("published"))
    assert len(receiver.messages) == 1
    assert "a night runs in step marts and has not been heard of for 20 min" in receiver.messages[0]["message"]


def test_a_refresh_that_is_refused_is_told_once(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DEFAULT_VARIABLE, receiver.url)
    for _ in range(2):
        with pytest.raises(RefreshRefused):
            refresh(company)
    (message,) = receiver.messages
    assert message["type"] == "warning"
    assert message["message"] == "a refresh within the day was refused\n- nothing is published yet"


def test_only_a_run_that_makes_a_release_is_a_night(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    @dg.asset
    def single(night: NightResource) -> None:
        """A table that somebody makes again by hand."""

    @dg.asset(key=RELEASE_KEY, deps=[single])
    def release(night: NightResource) -> None:
        save_report(night.company, NightReport("published", release_id="r1"))

    monkeypatch.setenv("SCORECARD_COMPANY", str(company.folder))
    job = dg.Definitions(
        [single, release], jobs=[dg.define_asset_job("nightly")], resources={"night": NightResource()}
    ).resolve_job_def("nightly")
    for selection, nights in (([single.key], 0), ([single.key, RELEASE_KEY], 1), (None, 2)):
        assert job.execute_in_process(asset_selection=selection).success
        assert [n.release_id for n in ended_nights(company)] == ["r1"] * nights


def test_a_damaged_heartbeat_is_said_and_stops_no_night(company: Company, capfd: pytest.CaptureFixture[str]) -> None:
    night(company, NightReport("published", release_id="r1"))
    heartbeat_path(company).write_bytes(b"{\x00\xff")
    assert read_heartbeat(company) is None
    assert f"{heartbeat_path(company)} is damaged" in capfd.readouterr().err
    night(company, NightReport("published", release_id="r2"))
    beat = read_heartbeat(company)
    assert beat is not None and beat.release_id == "r2"


def test_a_heartbeat_goes_stale_and_a_night_that_does_not_come_is_late(company: Company) -> None:
    assert health(company)[0] == "never_ran"
    with watched(company):
        say("marts", "building")
        beat = read_heartbeat(company)
        assert beat is not None and (beat.state, beat.step) == ("running", "marts")
        moment = nightwatch.datetime.fromisoformat(beat.beat_at)
        assert health(company, moment)[0] == "running"
        assert health(company, moment + nightwatch.STALE_AFTER * 2)[0] == "stale"
        save_report(company, NightReport("published"))
    assert health(company, moment)[0] == "ok"
    assert health(company, moment + nightwatch.LATE_AFTER * 2)[0] == "late"


def test_a_log_per_night_says_what_happened_and_the_oldest_go(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = company.state_dir / "logs"
    folder.mkdir(parents=True)
    for day in range(1, nightwatch.LOGS_KEPT + 5):
        (folder / f"2026-01-{day:03}.log").touch()
    night(company, NightReport("failed", reasons=["policy: line 3"]))
    logs = sorted(folder.iterdir())
    assert len(logs) == nightwatch.LOGS_KEPT
    text = logs[-1].read_text(encoding="utf-8")
    assert "landing   3 files" in text and "because   policy: line 3" in text
    assert logs[-1].stat().st_mode & 0o077 == 0
