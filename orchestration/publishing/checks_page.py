"""The results of a night's checks as one page that needs nothing else: no script, no network, no other file.

What checks of pay observed are sums of pay; the page leaves them out, so that it may lie beside the marts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.checks import CheckResult

PAGE_FILE = "checks.html"
_GROUPS = (
    ("marts", "rule", "Rules of what BI reads"),
    ("marts", "expectation", "Expectations of what BI reads"),
    ("incentives", "rule", "Rules of pay"),
    ("incentives", "expectation", "Expectations of pay"),
    ("marts", "policy", "Policy"),
    ("marts", "dbt_test", "Tests of the models BI reads"),
    ("incentives", "dbt_test", "Tests of the models of pay"),
)


@dataclass(frozen=True)
class _Group:
    title: str
    results: list[CheckResult]
    is_open: bool


@dataclass(frozen=True)
class _Page:
    title: str
    facts: Mapping[str, str]
    reasons: Sequence[str]
    failures: list[CheckResult]
    groups: list[_Group]
    failed: int
    verdict: str


def render_checks(title: str, facts: Mapping[str, str], results: Sequence[CheckResult], reasons: Sequence[str]) -> str:
    """The page; ``facts`` stand below the title, ``reasons`` say why pay or release was refused."""
    shown = [replace(result, observed=None) if result.scope == "incentives" else result for result in results]
    shown.sort(key=lambda result: result.name)
    failures = [result for result in shown if not result.passed]
    groups = [
        _Group(text, passed, kind == "rule")
        for scope, kind, text in _GROUPS
        if (passed := [r for r in shown if r.passed and (r.scope, r.kind) == (scope, kind)])
    ]
    verdict = f"{len(shown) - len(failures):,} of {len(shown):,} checks passed."
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = _Page(title, facts, reasons, failures, groups, len(failures), verdict)
    return environment.get_template("checks_page.html.j2").render(page=page)
