"""Every event is in exactly one day, month and quarter of the shop, whatever the clock and the calendar do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestration.landing import land
from orchestration.settings import Company
from tests.models.conftest import Bench, new_bench

# Local moments around which days are lost, doubled or misplaced: both ends of daylight saving, leap day, ISO week 53,
# the ends of months, quarters and years.
EDGES = (
    datetime(2024, 2, 28, 23, 59, 59), datetime(2024, 2, 29, 0, 0), datetime(2024, 2, 29, 23, 59, 59),
    datetime(2024, 3, 1, 0, 0), datetime(2024, 3, 31, 1, 59, 59), datetime(2024, 3, 31, 3, 0),
    datetime(2024, 3, 31, 23, 59, 59), datetime(2024, 4, 1, 0, 0), datetime(2024, 10, 27, 0, 0),
    datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 23, 59, 59), datetime(2024, 10, 28, 0, 0),
    datetime(2024, 12, 31, 23, 59, 59), datetime(2025, 1, 1, 0, 0), datetime(2025, 2, 28, 23, 59, 59),
    datetime(2025, 3, 1, 0, 0), datetime(2026, 12, 28, 0, 0), datetime(2026, 12, 31, 23, 59, 59),
    datetime(2027, 1, 1, 0, 0), datetime(2027, 1, 3, 23, 59, 59),
)  # fmt: skip
AS_OF = date(2027, 1, 31)


def _moments(zone: ZoneInfo) -> list[datetime]:
    """The edges in UTC, both readings of an hour that comes twice."""
    readings = [edge.replace(tzinfo=zone, fold=fold).astimezone(UTC) for edge in EDGES for fold in (0, 1)]
    return sorted({moment.replace(tzinfo=None) for moment in readings})


def _quarter(day: date) -> date:
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


@pytest.mark.parametrize("zone_name", ["Asia/Shanghai", "Europe/Berlin"])
def test_each_event_is_in_exactly_one_period_of_the_shops_calendar(
    empty_warehouse: Company, tmp_path_factory: pytest.TempPathFactory, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    company = new_bench(empty_warehouse, tmp_path_factory.mktemp("zone") / "company").company
    bench = Bench(replace(company, time_zone=zone_name))
    moments = _moments(zone)
    with bench.connect() as connection:
        connection.execute("update control.night set as_of = $1", [AS_OF])
    bench.fill(
        "raw.sales__order_lines",
        "order_id, line_no, ordered_at, store_id, product_id, quantity, unit_price, currency_code",
        [(f"o{number}", 1, moment, "s1", "p1", 1, 1, "CNY") for number, moment in enumerate(moments)],
    )
    bench.dbt("run", "--select", "+int_periods_listed", "+int_order_lines_credited")
    with bench.connect() as connection:
        placed = connection.execute(
            """
            select lines.order_id, lines.ordered_on, periods.period_type, periods.period_start
            from intermediate.int_order_lines_credited as lines
            inner join intermediate.int_periods_listed as periods
                on periods.period_start <= lines.ordered_on and lines.ordered_on < periods.period_end
            """
        ).fetchall()
        gaps = connection.execute(
            """
            select * from (
                select period_type, period_end, lead(period_start) over (partition by period_type order by period_start) as next
                from intermediate.int_periods_listed
            ) where period_end <> next
            """
        ).fetchall()
    expected = []
    for number, moment in enumerate(moments):
        day = moment.replace(tzinfo=UTC).astimezone(zone).date()
        starts = {"day": day, "month": day.replace(day=1), "quarter": _quarter(day)}
        expected += [(f"o{number}", day, period_type, start) for period_type, start in starts.items()]
    assert sorted(placed) == sorted(expected)
    assert gaps == []


# What a cash register in Berlin writes, the moment in UTC, and the day it belongs to.
REGISTER = (
    ("2024-03-31 01:59:59", datetime(2024, 3, 31, 0, 59, 59), date(2024, 3, 31)),
    ("2024-03-31 02:00:00", datetime(2024, 3, 31, 1, 0), date(2024, 3, 31)),
    ("2024-03-31 02:30", datetime(2024, 3, 31, 1, 30), date(2024, 3, 31)),
    ("2024-03-31 03:00:00", datetime(2024, 3, 31, 1, 0), date(2024, 3, 31)),
    ("2024-03-31 23:59:59", datetime(2024, 3, 31, 21, 59, 59), date(2024, 3, 31)),
    ("2024-04-01 00:00:00", datetime(2024, 3, 31, 22, 0), date(2024, 4, 1)),
    ("2024-10-27 01:59:59", datetime(2024, 10, 26, 23, 59, 59), date(2024, 10, 27)),
    ("2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30), date(2024, 10, 27)),
    ("2024-10-27 02:30:00+02:00", datetime(2024, 10, 27, 0, 30), date(2024, 10, 27)),
    ("2024-10-27 02:30:00+01:00", datetime(2024, 10, 27, 1, 30), date(2024, 10, 27)),
    ("2024-10-27 03:00:00", datetime(2024, 10, 27, 2, 0), date(2024, 10, 27)),
    ("2024-10-28 00:00:00", datetime(2024, 10, 27, 23, 0), date(2024, 10, 28)),
)


def test_a_local_time_that_never_came_and_one_that_came_twice_are_of_one_period(bench: Bench) -> None:
    bench = Bench(replace(bench.company, time_zone="Europe/Berlin"))
    folder = bench.company.extracts_dir / "sales" / "order_lines"
    folder.mkdir(parents=True)
    lines = [f"o{number:02},1,{text},s1,p1,1,1,EUR" for number, (text, _, _) in enumerate(REGISTER)]
    header = "order_id,line_no,ordered_at,store_id,product_id,quantity,unit_price,currency_code"
    (folder / "order_lines_2024-10-29.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    assert land(bench.company).rows_landed == len(REGISTER)
    with bench.connect() as connection:
        connection.execute("update control.night set as_of = date '2024-12-31'")
    bench.dbt("run", "--select", "+int_periods_listed", "+int_order_lines_credited")
    with bench.connect() as connection:
        landed = connection.execute("select ordered_at from raw.sales__order_lines order by order_id").fetchall()
        placed = connection.execute(
            """
            select periods.period_start
            from intermediate.int_order_lines_credited as lines
            inner join intermediate.int_periods_listed as periods
                on periods.period_start <= lines.ordered_on and lines.ordered_on < periods.period_end
            where periods.period_type = 'day'
            order by lines.order_id
            """
        ).fetchall()
    assert landed == [(moment,) for _, moment, _ in REGISTER]
    assert placed == [(day,) for _, _, day in REGISTER]


def test_the_edges_hold_an_hour_that_comes_twice_and_a_week_53() -> None:
    berlin = _moments(ZoneInfo("Europe/Berlin"))
    twice = [moment for moment in berlin if moment.date() == date(2024, 10, 27)]
    assert any(second - first == timedelta(hours=1) for first, second in zip(twice, twice[1:], strict=False))
    assert {edge.isocalendar().week for edge in EDGES} >= {1, 9, 53}
