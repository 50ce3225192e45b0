"""Periods as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from orchestration.ledger.errors import NotKnown

_FORMS = "2026-06 (a month), 2026-Q2 (a quarter), month:2026-06-01 or quarter:2026-04-01 (by its first day)"


@dataclass(frozen=True, order=True)
class PeriodKey:
    """A period of the incentive tables: its type and first day."""

    period_type: str
    period_start: date

    def __str__(self) -> str:
        return f"{self.period_type}:{self.period_start.isoformat()}"


def parse_period(text: str) -> PeriodKey:
    """Read a period.

    Raises:
        NotKnown: it is in none of the forms.

    """
    text = text.strip()
    try:
        if match := re.fullmatch(r"(\d{4})-(\d\d)", text):
            return PeriodKey("month", date(int(match[1]), int(match[2]), 1))
        if match := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text):
            return PeriodKey("quarter", date(int(match[1]), 3 * int(match[2]) - 2, 1))
        if match := re.fullmatch(r"(day|month|quarter):(\d{4}-\d\d-\d\d)", text):
            return PeriodKey(match[1], date.fromisoformat(match[2]))
    except ValueError:
        pass
    raise NotKnown(f"{text!r} is not a period; write {_FORMS}")
