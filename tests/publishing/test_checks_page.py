"""The page of a night's checks: everything it says is on it, and nothing of it comes from elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from expectations.checks import CheckResult
from orchestration.cli import app
from orchestration.publishing.checks_page import PAGE_FILE, render_checks
from orchestration.publishing.release import PublishRefused, publish
from orchestration.publishing.seal import seal
from orchestration.settings import PROJECT_DIR, Company
from orchestration.state import NightReport, save_candidate, save_report
from tests.conftest import WRITER, copy_company
from tests.publishing.test_publish import REQUIRED, candidate_of, check, green

HOSTILE = "<script>alert('x')</script> & \"more\""


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.delenv("SCORECARD_COMPANY", raising=False)
    return copy_company(PROJECT_DIR, tmp_path / "company")


def scorecard(company: Company, *arguments: str) -> str:
    result = CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_every_check_is_on_the_page_and_the_failed_ones_first() -> None:
    results = [
        CheckResult("b.holds", "marts", "b", "rule", 1, 12345, 0, "7", "8", True, ""),
        CheckResult("a.fails", "marts", "a", "rule", 1, 10, 2, "5", "4", False, "2 at fault of 10 checked"),
        CheckResult("test.x", "incentives", "x", "dbt_test", 1, None, 0, None, None, True, ""),
    ]
    page = Page(render_checks("release r1", {"as of": "2026-06-30"}, results, ["pay was refused"]))
    for text in (
        "release r1",
        "2026-06-30",
        "2 of 3 checks passed",
        "pay was refused",
        "b.holds",
        "12,345",
        "test.x",
        "2 at fault",
    ):
        assert text in page.text
    assert page.text.index("a.fails") < page.text.index("b.holds")


def test_what_checks_of_pay_observed_is_not_on_it() -> None:
    results = [
        CheckResult("statements.equal", "incentives", "statements", "rule", 1, 5, 0, "330042.17", None, True, ""),
        CheckResult("orders.equal", "marts", "orders", "rule", 1, 5, 0, "4711.25", None, True, ""),
    ]
    text = render_checks("r", {}, results, [])
    assert "330042.17" not in text
    assert "4711.25" in text


def test_text_from_data_is_text_and_the_page_needs_nothing_else() -> None:
    result = CheckResult(HOSTILE, "marts", "t", "rule", 1, 1, 1, HOSTILE, HOSTILE, False, HOSTILE)
    page = Page(render_checks(HOSTILE, {HOSTILE: HOSTILE}, [result], [HOSTILE]))
    assert page.text.count(HOSTILE) >= 7
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not [name for name, _ in page.attributes if name in ("src", "href", "action") or name.startswith("on")]


def test_a_release_has_its_page_beside_it_and_the_command_writes_the_same(company: Company, tmp_path: Path) -> None:
    candidate = candidate_of(company, "a")
    check(company, candidate, green("marts"), green("incentives"))
    seal(company, candidate, REQUIRED, WRITER)
    release = publish(company, candidate)
    beside = (release.folder / PAGE_FILE).read_text(encoding="utf-8")
    scorecard(company, "checks", "--html", str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == beside
    assert all(name in beside for name in REQUIRED["marts"] | REQUIRED["incentives"])


def test_a_night_that_was_refused_can_be_read_too(company: Company, tmp_path: Path) -> None:
    candidate = candidate_of(company, "a")
    marts = [replace(green("marts")[0], passed=False, failed=3, message="3 at fault of 9 checked"), *green("marts")[1:]]
    check(company, candidate, marts, green("incentives"))
    with pytest.raises(PublishRefused):
        seal(company, candidate, REQUIRED, WRITER)
    save_candidate(company, candidate)
    save_report(company, NightReport(reasons=["the marts are not green"]))
    scorecard(company, "checks", "--refused", "--html", str(tmp_path / "page.html"))
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "which was not published" in page.text
    assert "3 at fault of 9 checked" in page.text
    assert "the marts are not green" in page.text
    listed = json.loads(scorecard(company, "checks", "--refused", "--failed", "--json"))
    assert [entry["name"] for entry in listed] == [marts[0].name]
