"""When a source is late by its own rhythm: days are those of the company's clock, as everywhere."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from expectations.rules import Rule
from expectations.sources import PAY_RULES

THRESHOLD = "3"


@pytest.fixture
def rule() -> Rule:
    (found,) = (rule for rule in PAY_RULES if rule.name == "landed_files.keep_their_rhythm")
    return found


@pytest.mark.parametrize(("days_since", "late"), [(0, 0), (3, 0), (4, 1), (9, 1)])
def test_a_daily_file_is_late_on_the_fourth_day_without_it(rule: Rule, days_since: int, late: int) -> None:
    last = date(2026, 3, 10)
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as marts; attach ':memory:' as warehouse")
        connection.execute("create schema marts.meta; create schema warehouse.control")
        connection.execute(
            "create table warehouse.control.night as select ?::date as as_of", [last + timedelta(days_since)]
        )
        connection.execute(
            "create table marts.meta.landed_files as select 'sales' as source_name, 'order_lines' as extract_name, "
            "'landed' as status, ?::date - n::integer as delivered_on from range(10) as days(n)",
            [last],
        )
        ((checked, failed, _),) = connection.execute(rule.sql, {"threshold": THRESHOLD}).fetchall()
    assert (checked, failed) == (10, late)
