"""Policy that a closed period was paid by stays as it was: a change begins after it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from expectations.checks import CheckResult
from expectations.policy import (
    CLOSED_PERIODS_CHECK,
    PolicyError,
    PolicyProblem,
    SeedForm,
    policy_result,
    seed_forms,
    seed_lines,
)
from orchestration.ledger.state import FINAL, Period, fold
from orchestration.ledger.store import has_ledger, open_ledger
from orchestration.settings import Company

# What the gate tolerates is nobody's pay.
_GOVERNS_NO_PAY = ("gate_thresholds",)
# Elsewhere a row with a new key (another measure, say) concerns nobody until one of these names it.
_CHOOSES_PAY = ("scorecard_templates", "measure_targets", "scoring_curves", "incentive_plans", "plan_modifiers")
_NUMBERS = ("decimal", "bigint", "integer")


@dataclass(frozen=True)
class _Row:
    """One row as it governs a period: ``content`` is its key and values, and its days cut to the period."""

    line: int
    key: tuple[str, ...]
    content: tuple[Any, ...]


def check_governed_policy(company: Company) -> CheckResult:
    """Compare today's rows that govern a closed period with those it was closed under. Wording may be mended.

    Raises:
        PolicyError: a row was changed, added or removed; each names its seed, its line and the period.

    """
    if not has_ledger(company):
        return policy_result(CLOSED_PERIODS_CHECK)
    forms = [form for form in seed_forms() if form.is_dated and form.name not in _GOVERNS_NO_PAY]
    problems: set[PolicyProblem] = set()
    with open_ledger(company) as ledger:
        for period in fold(ledger.entries()).periods.values():
            if period.state not in FINAL:
                continue
            kept = json.loads(ledger.content(period.closed["frozen_sha256"]))
            for form in forms:
                # A seed that did not exist then governed nothing.
                if sha256 := kept.get(f"seeds/{form.path}.csv"):
                    today = (company.seeds_dir / f"{form.path}.csv").read_bytes()
                    problems |= set(_differences(form, period, ledger.content(sha256), today))
    if problems:
        raise PolicyError(sorted(problems))
    return policy_result(CLOSED_PERIODS_CHECK)


def _differences(form: SeedForm, period: Period, kept: bytes, today: bytes) -> Iterator[PolicyProblem]:
    if kept == today:
        return
    columns = [column for column in _header(kept) if column in form.names and not _is_wording(column)]
    before = list(_governing(form, period, kept, columns))
    after = list(_governing(form, period, today, columns))
    missing = Counter(row.content for row in before) - Counter(row.content for row in after)
    added = Counter(row.content for row in after) - Counter(row.content for row in before)
    known, found = {row.key for row in before}, {row.key for row in after}
    for row in after:
        if row.content in added and (row.key in known or form.name in _CHOOSES_PAY):
            yield PolicyProblem(
                form.path, row.line,
                f"{'/'.join(row.key)} is not as it was when {period.key} was closed: end the old row on or after "
                f"{period.period_end} and begin the new one there",
            )  # fmt: skip
    for row in before:
        if row.content in missing and row.key not in found:
            yield PolicyProblem(
                form.path, 1, f"the row of {'/'.join(row.key)} is gone, and {period.key} was closed under it"
            )


def _is_wording(column: str) -> bool:
    return column == "reason" or column.startswith("name_")


def _header(content: bytes) -> list[str]:
    return next(csv.reader(_lines(content)), [])


def _lines(content: bytes) -> Iterable[str]:
    return seed_lines(content.decode("utf-8-sig"))


def _governing(form: SeedForm, period: Period, content: bytes, columns: list[str]) -> Iterator[_Row]:
    types = {column.name: column.data_type for column in form.columns}
    reader = csv.DictReader(_lines(content))
    for row in reader:
        start = date.fromisoformat(row["valid_from"])
        end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        if start >= period.period_end or end <= period.key.period_start:
            continue
        values = tuple(_value(row[name], types[name]) for name in columns if name not in ("valid_from", "valid_to"))
        days = (max(start, period.key.period_start), min(end, period.period_end))
        key = tuple(row[name] for name in form.key if name in row)
        yield _Row(reader.line_num, key, (*values, *days))


def _value(text: str, data_type: str) -> Decimal | str:
    """Numbers by what they are worth: 0.2 and 0.20 are one share."""
    if text and data_type.startswith(_NUMBERS):
        try:
            return Decimal(text).normalize()
        except InvalidOperation:
            return text
    return text
