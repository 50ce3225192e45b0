"""Only journeys of touched customers and counts of touched periods are made again, and the result is that of making all."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.settings import Company
from tests.models.conftest import Bench, new_bench

pytestmark = pytest.mark.xdist_group("models")

CHAIN = (
    "run", "--select", "int_journey_customers_touched", "int_touches_sequenced", "int_journeys_summed",
    "int_journey_customers_counted", "int_transitions_listed", "int_touchpoint_events_listed", "int_journey_periods_touched",
    "int_transitions_counted", "int_touchpoints_counted", "int_journey_periods_counted",
)  # fmt: skip
TABLES = ("int_touches_sequenced", "int_journeys_summed", "int_transitions_counted", "int_touchpoints_counted")
COLUMNS = (
    "event_id, customer_id, occurred_at, occurred_on, month_start, quarter_start, touchpoint_code, stage_code, segment, "
    "store_id, region, order_amount"
)
FIRST = datetime(2026, 1, 1, 8)
STAGES = {"web_visit": "contact", "checkout_till": "purchase", "delivery": "use", "service_call": "after_sales"}

Touch = dict[str, object]


def _touch(draw: random.Random, customer: str | None) -> Touch:
    at = FIRST + timedelta(seconds=draw.randrange(90 * 86400))
    code = draw.choice(sorted(STAGES))
    return {
        "customer_id": customer,
        "occurred_at": at,
        "occurred_on": at.date(),
        "month_start": date(at.year, at.month, 1),
        "quarter_start": date(2026, 1, 1),
        "touchpoint_code": code,
        "stage_code": STAGES[code],
        "segment": "gold",
        "store_id": draw.choice(["s1", "s2", None]),
        "region": "north",
        "order_amount": 10 if code == "checkout_till" else None,
    }


def _put(bench: Bench, touches: dict[str, Touch]) -> None:
    rows = [[event_id, *touch.values()] for event_id, touch in touches.items()]
    random.Random(len(rows)).shuffle(rows)
    bench.fill("intermediate.int_touches_linked", COLUMNS, rows)


def _prepare(bench: Bench, touches: dict[str, Touch]) -> None:
    _put(bench, touches)
    bench.dbt("run", "--select", "int_journey_settings_listed", "int_journey_gaps_dated")
    bench.dbt(*CHAIN)


def _contents(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    with bench.connect() as connection:
        return {
            table: connection.execute(f"select * from intermediate.{table} order by all").fetchall() for table in TABLES
        }


def _touched(bench: Bench) -> set[str]:
    with bench.connect() as connection:
        rows = connection.execute("select customer_id from intermediate.int_journey_customers_touched").fetchall()
    return {customer for (customer,) in rows}


def _touched_periods(bench: Bench) -> set[tuple[str, date]]:
    with bench.connect() as connection:
        return set(
            connection.execute("select period_type, period_start from intermediate.int_journey_periods_touched").fetchall()
        )


def test_what_changes_is_made_again_and_nothing_else(bench: Bench, empty_warehouse: Company, tmp_path: Path) -> None:
    draw = random.Random(8)
    touches = {f"e{number:03}": _touch(draw, draw.choice([*"abcdefgh", None])) for number in range(200)}
    touches["lone"] = _touch(draw, "z")
    _prepare(bench, touches)
    assert _touched(bench) == {*"abcdefgh", "z"}
    assert len(_contents(bench)["int_touches_sequenced"]) == sum(
        touch["customer_id"] is not None for touch in touches.values()
    )

    bench.dbt(*CHAIN)
    assert _touched(bench) == set(), "nothing new, nothing made"

    # A late touch, one that turns out to be another customer's, a corrected one, and a customer who is gone.
    touches["late"] = _touch(draw, "a")
    moved = next(event_id for event_id, touch in touches.items() if touch["customer_id"] == "b")
    touches[moved]["customer_id"] = "c"
    corrected = next(event_id for event_id, touch in touches.items() if touch["customer_id"] == "d")
    touches[corrected]["occurred_at"] = FIRST
    del touches["lone"]
    _put(bench, touches)
    bench.dbt(*CHAIN)
    assert _touched(bench) == {*"abcd", "z"}

    whole = new_bench(empty_warehouse, tmp_path / "whole")
    _prepare(whole, touches)
    assert _contents(bench) == _contents(whole)


def test_a_journey_that_can_go_on_no_more_closes_without_a_new_touch(bench: Bench) -> None:
    at = {"occurred_at": datetime(2026, 3, 20), "occurred_on": date(2026, 3, 20), "month_start": date(2026, 3, 1)}
    touches = {"e1": _touch(random.Random(1), "a") | at}
    _prepare(bench, touches)
    with bench.connect() as connection:
        assert connection.execute("select is_open from intermediate.int_journeys_summed").fetchall() == [(True,)]
        connection.execute("update control.night set as_of = date '2026-04-04'")
    bench.dbt(*CHAIN)
    assert _touched(bench) == {"a"}
    with bench.connect() as connection:
        assert connection.execute("select is_open from intermediate.int_journeys_summed").fetchall() == [(False,)]
    assert _touched_periods(bench) == {("month", date(2026, 3, 1)), ("quarter", date(2026, 1, 1))}


def test_a_touch_of_today_touches_the_period_of_today_and_that_in_which_its_journey_began(bench: Bench) -> None:
    january, march, april = datetime(2026, 1, 5), datetime(2026, 3, 30), datetime(2026, 4, 2)
    touches = {
        event_id: _touch(random.Random(1), customer) | {"occurred_at": at, "occurred_on": at.date(), "month_start": month}
        for event_id, customer, at, month in (
            ("e1", "a", january, date(2026, 1, 1)),
            ("e2", "a", march, date(2026, 3, 1)),
            ("e3", "b", january, date(2026, 1, 1)),
        )
    }
    _prepare(bench, touches)
    before = _contents(bench)
    touches["e4"] = touches["e2"] | {
        "occurred_at": april, "occurred_on": april.date(), "month_start": date(2026, 4, 1), "quarter_start": date(2026, 4, 1)
    }  # fmt: skip
    _put(bench, touches)
    bench.dbt(*CHAIN)
    assert _touched_periods(bench) == {
        ("month", date(2026, 3, 1)), ("month", date(2026, 4, 1)), ("quarter", date(2026, 1, 1)), ("quarter", date(2026, 4, 1))
    }  # fmt: skip
    for table in ("int_transitions_counted", "int_touchpoints_counted"):
        kept = [row for row in before[table] if row[:2] == ("month", date(2026, 1, 1))]
        assert kept and [row for row in _contents(bench)[table] if row[:2] == ("month", date(2026, 1, 1))] == kept
    bench.dbt(*CHAIN)
    assert _touched_periods(bench) == set()


def test_two_journeys_that_exchange_what_they_go_on_to_touch_the_period_they_began_in(bench: Bench) -> None:
    begun, gone_on = datetime(2026, 1, 31, 10), datetime(2026, 2, 2, 10)
    touches = {
        f"{customer}{number}": _touch(random.Random(1), customer)
        | {
            "occurred_at": at, "occurred_on": at.date(), "month_start": date(2026, at.month, 1),
            "touchpoint_code": code, "stage_code": STAGES[code], "store_id": store, "order_amount": None,
        }
        for customer, store, later in (("a", "s1", "delivery"), ("b", "s2", "service_call"))
        for number, at, code in ((1, begun, "web_visit"), (2, gone_on, later))
    }  # fmt: skip
    _prepare(bench, touches)
    for code in ("touchpoint_code", "stage_code"):
        touches["a2"][code], touches["b2"][code] = touches["b2"][code], touches["a2"][code]
    _put(bench, touches)
    bench.dbt(*CHAIN)
    assert ("month", date(2026, 1, 1)) in _touched_periods(bench)
    with bench.connect() as connection:
        moves = connection.execute(
            "select entity_id, to_touchpoint from intermediate.int_transitions_counted where level = 'store' "
            "and period_type = 'month' and from_touchpoint = 'web_visit' order by all"
        ).fetchall()
    assert moves == [("s1", "service_call"), ("s2", "delivery")]
