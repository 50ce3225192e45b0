"""What to generate: size, period and seed of a sample chain, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from math import inf
from pathlib import Path

REGIONS = ("north", "east", "south", "west")
MIN_STORES = 8
MIN_EMPLOYEES = 60
MIN_CUSTOMERS = 200


@dataclass(frozen=True)
class SampleSpec:
    """Size, period and seed of a sample chain; equal specs give byte-identical files.

    ``scale`` multiplies ``stores``, ``employees`` (headcount on any day) and ``customers``; a chain never has fewer
    than 8 stores, 60 employees and 200 customers. About 20 order lines per customer are sold in 18 months, so
    ``scale=250`` gives 100 million. The period is whole calendar months, the last of which ends early when ``last_day``
    does.

    Raises:
        ValueError: a size that is not positive, or a period that starts before the year 2000.

    """

    seed: int = 20261031
    scale: float = 1.0
    stores: int = 40
    employees: int = 600
    customers: int = 20_000
    months: int = 18
    last_day: date = date(2026, 10, 31)

    def __post_init__(self) -> None:
        for name in ("scale", "stores", "employees", "customers", "months"):
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"{name} must be a positive number, not {getattr(self, name)}")
        if self._first_month // 12 < 2000:
            raise ValueError(f"{self.months} months before {self.last_day} start before the year 2000")

    @property
    def store_count(self) -> int:
        """Stores, the opened and the closed one included."""
        return max(MIN_STORES, round(self.stores * self.scale))

    @property
    def employee_count(self) -> int:
        """Headcount on the first day; leavers are replaced."""
        return max(MIN_EMPLOYEES, round(self.employees * self.scale))

    @property
    def customer_count(self) -> int:
        """Customers registered by the last day."""
        return max(MIN_CUSTOMERS, round(self.customers * self.scale))

    @property
    def _first_month(self) -> int:
        return self.last_day.year * 12 + self.last_day.month - self.months

    @cached_property
    def month_starts(self) -> tuple[date, ...]:
        """First days of the months, in order."""
        months = range(self._first_month, self._first_month + self.months)
        return tuple(date(index // 12, index % 12 + 1, 1) for index in months)

    @property
    def first_day(self) -> date:
        """First trading day delivered."""
        return self.month_starts[0]

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.last_day + timedelta(days=1)

    def month_end(self, month: int) -> date:
        """The day after the last delivered day of the month with this index (0-based)."""
        return min(month_after(self.month_starts[month]), self.end)


@dataclass(frozen=True)
class SampleSummary:
    """What was written. ``rows`` and ``unique_keys`` are per extract (``sales/order_lines``)."""

    extracts_dir: Path
    truth_path: Path
    files: int
    rows: dict[str, int] = field(default_factory=dict)
    unique_keys: dict[str, int] = field(default_factory=dict)
    revenue: Decimal = Decimal(0)
    seconds: float = 0.0


def month_after(day: date) -> date:
    """First day of the month after the one ``day`` lies in."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
