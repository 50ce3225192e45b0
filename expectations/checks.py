"""What a check is, and what became of it: one row per check, whoever ran it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Scope = Literal["marts", "incentives"]
Kind = Literal["dbt_test", "rule", "expectation", "policy"]


@dataclass(frozen=True)
class CheckResult:
    """One check and what it saw.

    ``scope`` is what a failure stops: ``marts`` stops the release, ``incentives`` leaves the last good pay in place.
    ``checked`` counts rows looked at and ``failed`` rows at fault; ``observed`` and ``threshold`` are the number
    compared and what it was compared with, where there is one. There are no warnings: a check passes or it does not.
    """

    name: str
    scope: Scope
    table_name: str
    kind: Kind
    version: int
    checked: int | None
    failed: int | None
    observed: str | None
    threshold: str | None
    passed: bool
    message: str


def save_results(path: Path, results: Iterable[CheckResult]) -> None:
    """Write one part of a night's results; a part that runs again replaces itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(json.dumps(asdict(result), ensure_ascii=False, sort_keys=True) for result in results)
    path.write_text(text + "\n", encoding="utf-8")


def load_results(folder: Path) -> list[CheckResult]:
    """All parts saved in the folder, in the order of their names."""
    results = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line:
                results.append(CheckResult(**json.loads(line)))
    return results


def decide(required: set[str], results: Iterable[CheckResult]) -> list[str]:
    """Why a scope is not green; empty means green. Fails closed: a required check that is not among the results, or is
    there twice, counts as failed, and so does a set without any check.
    """
    results = list(results)
    if not required:
        return ["no check is required: the set of checks was emptied"]
    reasons = [f"{result.name}: {result.message}" for result in results if not result.passed]
    names = [result.name for result in results]
    reasons += [f"{name}: did not run" for name in sorted(required - set(names))]
    reasons += [f"{name}: ran more than once" for name in sorted({name for name in names if names.count(name) > 1})]
    return reasons
