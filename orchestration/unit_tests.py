"""What the unit tests of models came to, kept for as long as what they prove stays the same.

A unit test gives rows to a model's SQL and looks at what comes out: it proves the code under an engine, whatever data a night
has. Nights of the same code on the same versions run each of them once.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from expectations.checks import CheckResult, Scope
from expectations.dbt_checks import required_dbt_checks
from orchestration.night import code_version
from orchestration.publishing.files import write_durably
from orchestration.settings import PROJECT_DIR, Company
from orchestration.transform import INCENTIVES_TAG


def required_unit_tests(manifest: dict[str, Any], scope: Scope) -> set[str]:
    """Unique ids of the unit tests that a scope cannot be published without."""
    return required_dbt_checks(manifest, INCENTIVES_TAG)[scope] & set(manifest["unit_tests"])


def kept_results(company: Company, required: set[str]) -> list[CheckResult]:
    """The kept results of the required unit tests. None when any of them is missing, or when code, engine or the company's
    time zone and currency are not those that they ran with: then all have to run.
    """
    results = [CheckResult(**result) for result in _kept(company, _proved(company)) if result["name"] in required]
    return results if {result.name for result in results} == required else []


def keep_results(company: Company, results: Iterable[CheckResult], unit_tests: set[str]) -> None:
    """Keep those of the results that are of unit tests and passed, beside what is kept of the same code."""
    proved = _proved(company)
    known = _kept(company, proved)
    moment = datetime.now(UTC).strftime("ran on %Y-%m-%d at %H:%M UTC, with this code")
    new = [
        asdict(replace(result, observed=moment)) for result in results if result.passed and result.name in unit_tests
    ]
    names = {result["name"] for result in new}
    text = json.dumps({"proves": proved, "results": [*(r for r in known if r["name"] not in names), *new]}, indent=1)
    write_durably(unit_tests_path(company), text + "\n")


def unit_tests_path(company: Company) -> Path:
    """The file of the kept results; without it all unit tests run again."""
    return company.state_dir / "unit_tests.json"


def _kept(company: Company, proved: str) -> list[dict[str, Any]]:
    """What is kept as proof of just this: nothing where no file can be read. Then all tests run again and write a new one."""
    try:
        kept = json.loads(unit_tests_path(company).read_text(encoding="utf-8"))
        results = kept["results"] if kept["proves"] == proved else []
        return [asdict(CheckResult(**result)) for result in results]
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return []


def _proved(company: Company) -> str:
    profile = (PROJECT_DIR / "profiles.yml").read_text(encoding="utf-8")
    parts = (code_version(), company.time_zone, company.currency_code, profile, *_engine())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _engine() -> list[str]:
    """Python and every package: models call dbt and DuckDB, and their functions numpy, scipy and a segmentation of words."""
    return [platform.python_version(), *sorted(f"{found.name} {found.version}" for found in distributions())]
