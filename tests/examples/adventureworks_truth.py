"""AdventureWorks by hand: quotas, revenue and territories per sales person, from the raw files in plain Python.

Shares no code and no SQL with the mapping or the models, so that agreement says something: rows are read with ``csv``,
amounts are ``Decimal``, ratios are ``Fraction``, and days are walked one by one.
"""

from __future__ import annotations

import csv
import importlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

# The quota after the last one would have begun here: quota dates are calendar quarters moved by 2,007 days, as all
# dates of the source are.
END_OF_LAST_QUOTA = date(2013, 12, 29)


@dataclass(frozen=True)
class TerritoryPart:
    """Days of a quarter in one territory, or in none; ``valid_to`` is the first day after."""

    store_id: str | None
    valid_from: date
    valid_to: date
    days: int
    revenue: Decimal


@dataclass(frozen=True)
class QuotaQuarter:
    """One sales person in one quota period; ``period_end`` is the first day after."""

    employee_id: str
    period_start: date
    period_end: date
    revenue: Decimal
    quota: Decimal
    parts: tuple[TerritoryPart, ...]

    @property
    def attainment(self) -> Fraction:
        """Revenue over quota."""
        return Fraction(self.revenue) / Fraction(self.quota)


@dataclass(frozen=True)
class PayTerms:
    """What HR knows about the pay of a sales person."""

    bonus: Decimal
    commission_rate: Decimal


def quota_quarters(data_dir: Path) -> dict[tuple[str, date], QuotaQuarter]:
    """Every quota by employee (the id of HR) and QuotaDate."""
    employee_ids = _employee_ids(data_dir)
    quotas = {
        (employee_ids[row["EmployeeKey"]], date.fromisoformat(row["QuotaDate"])): Decimal(row["SalesAmountQuota"])
        for row in _rows(data_dir / "hr/sales_quotas.csv")
    }
    starts = sorted({period_start for _, period_start in quotas})
    ends = dict(zip(starts, [*starts[1:], END_OF_LAST_QUOTA], strict=True))
    revenue = revenue_by_day(data_dir)
    territories = _territory_ranges(data_dir)

    quarters = {}
    for (employee_id, period_start), quota in quotas.items():
        days = list(_days(period_start, ends[period_start]))
        held = [(_territory_on(territories[employee_id], day), day) for day in days]
        parts = []
        for store_id, group in groupby(held, key=itemgetter(0)):
            part = [day for _, day in group]
            parts.append(
                TerritoryPart(
                    store_id=store_id,
                    valid_from=part[0],
                    valid_to=part[-1] + timedelta(days=1),
                    days=len(part),
                    revenue=sum((revenue[employee_id, day] for day in part), Decimal(0)),
                ),
            )
        quarters[employee_id, period_start] = QuotaQuarter(
            employee_id=employee_id,
            period_start=period_start,
            period_end=ends[period_start],
            revenue=sum((revenue[employee_id, day] for day in days), Decimal(0)),
            quota=quota,
            parts=tuple(parts),
        )
    return quarters


def repurchases(data_dir: Path) -> dict[tuple[str, date], tuple[int, int]]:
    """Resellers with an order in a quota period by employee and QuotaDate, and those of them who ordered again, on
    another day, within 90 days after their first order of the period.
    """
    employee_ids = _employee_ids(data_dir)
    first_lines: dict[str, tuple[int, str, date, str]] = {}
    for row in _rows(data_dir / "sales/reseller_order_lines.csv"):
        line = int(row["SalesOrderLineNumber"])
        order = row["SalesOrderNumber"]
        if order not in first_lines or line < first_lines[order][0]:
            day = date.fromisoformat(row["OrderDate"])
            first_lines[order] = (line, row["ResellerKey"], day, employee_ids[row["EmployeeKey"]])
    days: defaultdict[str, set[date]] = defaultdict(set)
    sold: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for _, reseller, day, employee in first_lines.values():
        days[reseller].add(day)
        sold[employee, reseller].add(day)
    counts = {}
    for quarter in quota_quarters(data_dir).values():
        customers = returned = 0
        for (employee, reseller), order_days in sold.items():
            inside = [day for day in order_days if quarter.period_start <= day < quarter.period_end]
            if employee == quarter.employee_id and inside:
                first = min(inside)
                customers += 1
                returned += any(first < day <= first + timedelta(days=90) for day in days[reseller])
        counts[quarter.employee_id, quarter.period_start] = (customers, returned)
    return counts


def statements(data_dir: Path) -> dict[tuple[str, date, str, int], Decimal]:
    """What each sales person is paid per quota period, kind of plan (bonus, commission) and part of it, by the policy of
    the example: exact fractions, rounded half-up to the cent once.
    """
    terms = pay_terms(data_dir)
    returning = repurchases(data_dir)
    amounts = {}
    for (employee, start), quarter in quota_quarters(data_dir).items():
        customers, returned = returning[employee, start]
        revenue_points = _on_curve(quarter.attainment, [("0.5", "0"), ("1", "1"), ("1.5", "1.5")])
        rate = Fraction(returned, customers) if customers else Fraction(0)
        if customers >= 10:
            return_points = _on_curve(rate / Fraction("0.4"), [("0.5", "0"), ("1", "1"), ("1.5", "1.5")])
            score = Fraction("0.7") * revenue_points + Fraction("0.3") * return_points
        else:
            score = revenue_points
        factor = _on_curve(score, [("0.6", "0.4"), ("1", "1"), ("1.5", "1.5")])
        if customers >= 10 and rate < Fraction("0.15"):
            factor /= 2
        factor = min(factor, Fraction("1.5"))
        period_days = (quarter.period_end - quarter.period_start).days
        for number, part in enumerate(quarter.parts, start=1):
            bonus = Fraction(terms[employee].bonus) * Fraction(part.days, period_days) * factor
            commission = Fraction(part.revenue) * Fraction(terms[employee].commission_rate)
            amounts[employee, start, "bonus", number] = _cents(bonus)
            amounts[employee, start, "commission", number] = _cents(commission)
    return amounts


def _on_curve(x: Fraction, points: list[tuple[str, str]]) -> Fraction:
    exact = [(Fraction(a), Fraction(b)) for a, b in points]
    if x < exact[0][0]:
        return Fraction(0)
    for (x0, y0), (x1, y1) in pairwise(exact):
        if x < x1:
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return exact[-1][1]


def _cents(amount: Fraction) -> Decimal:
    return Decimal((amount * 200 + 1) // 2) / 100


def revenue_by_day(data_dir: Path) -> defaultdict[tuple[str, date], Decimal]:
    """Reseller revenue by employee (the id of HR) and order date."""
    employee_ids = _employee_ids(data_dir)
    revenue: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in _rows(data_dir / "sales/reseller_order_lines.csv"):
        key = (employee_ids[row["EmployeeKey"]], date.fromisoformat(row["OrderDate"]))
        revenue[key] += Decimal(row["SalesAmount"])
    return revenue


def reseller_amounts(data_dir: Path) -> dict[tuple[str, int], Decimal]:
    """SalesAmount by order number and line number of the reseller file."""
    return {
        (row["SalesOrderNumber"], int(row["SalesOrderLineNumber"])): Decimal(row["SalesAmount"])
        for row in _rows(data_dir / "sales/reseller_order_lines.csv")
    }


def internet_amounts(data_dir: Path) -> dict[tuple[str, int], Decimal]:
    """SalesAmount by order number and line number of the internet file."""
    # Loaded here, because readers of the quotas alone need no parquet; by name, because the package has no types.
    parquet = importlib.import_module("pyarrow.parquet")
    columns = ["SalesOrderNumber", "SalesOrderLineNumber", "SalesAmount"]
    table = parquet.read_table(data_dir / "sales/internet_order_lines.parquet", columns=columns).to_pydict()
    return {(order, line): amount for order, line, amount in zip(*(table[column] for column in columns), strict=True)}


def pay_terms(data_dir: Path) -> dict[str, PayTerms]:
    """Bonus and commission rate by employee (the id of HR)."""
    return {
        row["BusinessEntityID"]: PayTerms(Decimal(row["Bonus"]), Decimal(row["CommissionPct"]))
        for row in _rows(data_dir / "hr/sales_people.csv")
    }


def service_grades(data_dir: Path) -> dict[date, tuple[Decimal, int]]:
    """Call-weighted mean of the service grade, half-up to four decimals, and calls, by month."""
    calls: defaultdict[date, int] = defaultdict(int)
    weighted: defaultdict[date, Decimal] = defaultdict(Decimal)
    for row in _rows(data_dir / "survey/call_centre_shifts.csv"):
        month = date.fromisoformat(row["Date"]).replace(day=1)
        # The file prints binary fractions in full; the grade itself has two decimals.
        grade = Decimal(row["ServiceGrade"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        calls[month] += int(row["Calls"])
        weighted[month] += int(row["Calls"]) * grade
    return {
        month: ((weighted[month] / calls[month]).quantize(Decimal("0.0001"), ROUND_HALF_UP), calls[month])
        for month in calls
    }


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _employee_ids(data_dir: Path) -> dict[str, str]:
    return {row["EmployeeKey"]: row["BusinessEntityID"] for row in _rows(data_dir / "hr/sales_people.csv")}


def _territory_ranges(data_dir: Path) -> defaultdict[str, list[tuple[date, date, str]]]:
    """First day, last day and territory by employee, as the source has them: the last day is part of the range."""
    ranges: defaultdict[str, list[tuple[date, date, str]]] = defaultdict(list)
    for row in _rows(data_dir / "hr/sales_territory_history.csv"):
        last_day = date.fromisoformat(row["EndDate"]) if row["EndDate"] else date.max
        ranges[row["BusinessEntityID"]].append(
            (date.fromisoformat(row["StartDate"]), last_day, f"T{row['TerritoryID']}")
        )
    return ranges


def _territory_on(ranges: list[tuple[date, date, str]], day: date) -> str | None:
    held = [store_id for first_day, last_day, store_id in ranges if first_day <= day <= last_day]
    if len(held) > 1:
        raise ValueError(f"{day}: more than one territory: {', '.join(held)}")
    return held[0] if held else None


def _days(first_day: date, end: date) -> Iterator[date]:
    for offset in range((end - first_day).days):
        yield first_day + timedelta(days=offset)
