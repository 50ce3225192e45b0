"""CDNOW: the data of the papers that the models come from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from orchestration.settings import PROJECT_DIR

CALIBRATION_END = date(1997, 9, 30)
HOLDOUT_END = date(1998, 6, 30)


@dataclass(frozen=True)
class Cdnow:
    """Spend per customer and day; customers in the order of the file."""

    log_rows: int
    days: dict[str, dict[date, float]]

    def history(self, customer: str, end: date) -> tuple[int, int, int]:
        """Repeats, days to the last purchase, age in days."""
        bought = [day for day in sorted(self.days[customer]) if day <= end]
        return len(bought) - 1, (bought[-1] - bought[0]).days, (end - bought[0]).days

    def histories(self, end: date) -> np.ndarray:
        """One row per customer."""
        return np.array([self.history(customer, end) for customer in self.days])

    def repeat_spend(self, end: date) -> np.ndarray:
        """Repeat purchases with spend, and their total, one row per customer."""
        rows = []
        for spends in self.days.values():
            repeats = [spends[day] for day in sorted(spends) if day <= end][1:]
            rows.append((sum(spend > 0 for spend in repeats), sum(repeats)))
        return np.array(rows)


@pytest.fixture(scope="session")
def cdnow_path() -> Path:
    path = PROJECT_DIR.parent / "shared" / "data" / "cdnow" / "CDNOW_sample.txt"
    if not path.is_file():
        pytest.skip(f"{path} is not there: the CDNOW sample is not part of the project")
    return path


@pytest.fixture(scope="session")
def cdnow(cdnow_path: Path) -> Cdnow:
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    rows = [line.split() for line in cdnow_path.read_text(encoding="ascii").splitlines()]
    for _, customer, day, _, value in rows:
        days[customer][date(int(day[:4]), int(day[4:6]), int(day[6:]))] += float(value)
    return Cdnow(len(rows), {customer: dict(spends) for customer, spends in days.items()})
