"""Alerts leave for every address, say what somebody must know, and never show an address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from orchestration import nightwatch
from orchestration.alerts import DEFAULT_VARIABLE, send_alert
from orchestration.nightwatch import ended_nights, health, heartbeat_path, read_heartbeat, watched
from orchestration.progress import say
from orchestration.settings import PROJECT_DIR, Company, SettingsError, load_company
from orchestration.state import NightReport, save_report
from tests.conftest import copy_company

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
