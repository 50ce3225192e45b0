"""When prices or scores have drifted: days of what the candidate holds, against the eight weeks before them."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from expectations.order_lines import PAY_RULES as ORDER_RULES
from expectations.rules import Rule
from expectations.survey_answers import PAY_RULES as SURVEY_RULES

# Ten prices from 2 to 1,024 and ten scores, each as often as any other, on each of the 120 days up to this one.
LAST_DAY = "date '2026-06-30'"


def named(rules: tuple[Rule, ...], name: str) -> Rule:
    (found,) = (rule for rule in rules if rule.name == name)
    return found


PRICES = named(ORDER_RULES, "order_lines.amounts_have_not_drifted")
SCORES = named(SURVEY_RULES, "survey_answers.scores_have_not_drifted")


@pytest.fixture
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name in ("marts", "previous"):
            connection.execute(f"attach ':memory:' as {name}; create schema {name}.core")
            connection.execute(
                f"create table {name}.core.order_lines (ordered_on date, unit_price decimal(18, 4), exclusion_reason varchar)"
            )
            connection.execute(
                f"create table {name}.core.survey_answers "
                "(submitted_on date, measure_code varchar, score decimal(18, 4), exclusion_reason varchar)"
            )
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, rows_a_day: int, in_place_until: int | None = None) -> None:
    """``rows_a_day`` in each table; the release in place knows the days until so many before the last."""
    connection.execute(
        f"insert into marts.core.order_lines select {LAST_DAY} - cast(day as integer), 2 ** (row % 10 + 1), null "
        f"from range(120) as days(day), range({rows_a_day}) as numbers(row)"
    )
    connection.execute(
        f"insert into marts.core.survey_answers select {LAST_DAY} - cast(day as integer), measure_code, row % 10 + 1, null "
        f"from range(120) as days(day), range({rows_a_day}) as numbers(row), (values ('csat'), ('nps')) as known(measure_code)"
    )
    if in_place_until is not None:
        for table, day in (("order_lines", "ordered_on"), ("survey_answers", "submitted_on")):
            connection.execute(
                f"insert into previous.core.{table} from marts.core.{table} where {day} <= {LAST_DAY} - {in_place_until}"
            )


def drifted(connection: duckdb.DuckDBPyConnection, rule: Rule) -> bool:
    ((_, failed, _),) = connection.execute(rule.sql, {"threshold": "0.25"}).fetchall()
    return bool(failed)


@pytest.mark.parametrize("in_place_until", [None, 0, 1, 40])
@pytest.mark.parametrize("rule", [PRICES, SCORES], ids=["prices", "scores"])
def test_days_like_those_before_pass(tables: duckdb.DuckDBPyConnection, rule: Rule, in_place_until: int | None) -> None:
    fill(tables, 50, in_place_until)
    assert not drifted(tables, rule)


@pytest.mark.parametrize(
    ("days_ago", "in_place_until", "is_seen"),
    [
        (0, None, True),
        (0, 1, True),
        # The night after, and for as long as the month may be open.
        (1, 1, True),
        (27, 1, True),
        (28, 1, False),
        # New since the release in place, however long it has been there.
        (39, 40, True),
    ],
)
def test_a_day_in_cents_or_of_one_score_is_seen_for_four_weeks(
    tables: duckdb.DuckDBPyConnection, days_ago: int, in_place_until: int | None, is_seen: bool
) -> None:
    fill(tables, 50, in_place_until)
    for database in ("marts", "previous"):
        tables.execute(
            f"update {database}.core.order_lines set unit_price = unit_price * 100 where ordered_on = {LAST_DAY} - {days_ago}"
        )
        tables.execute(
            f"update {database}.core.survey_answers set score = 5 where submitted_on = {LAST_DAY} - {days_ago}"
        )
    assert drifted(tables, PRICES) == is_seen
    assert drifted(tables, SCORES) == is_seen


def test_one_measure_of_which_all_scores_are_one_is_seen(tables: duckdb.DuckDBPyConnection) -> None:
    fill(tables, 50, 1)
    tables.execute(
        f"update marts.core.survey_answers set score = 5 where submitted_on = {LAST_DAY} and measure_code = 'csat'"
    )
    assert drifted(tables, SCORES)


def test_few_rows_of_a_day_are_left_to_chance_and_a_week_of_them_is_not(tables: duckdb.DuckDBPyConnection) -> None:
    fill(tables, 5, 7)
    for days, is_seen in ((1, False), (7, True)):
        tables.execute(
            f"update marts.core.order_lines set unit_price = 5000 where ordered_on > {LAST_DAY} - {days};"
            f"update marts.core.survey_answers set score = 5 where submitted_on > {LAST_DAY} - {days}"
        )
        assert drifted(tables, PRICES) == is_seen
        assert drifted(tables, SCORES) == is_seen


def test_what_is_chance_of_one_measure_is_none_of_all_of_them(tables: duckdb.DuckDBPyConnection) -> None:
    fill(tables, 8, 1)
    for measures, is_seen in (("'csat'", False), ("'csat', 'nps'", True)):
        tables.execute(
            f"update marts.core.survey_answers set score = 5 where submitted_on = {LAST_DAY} and measure_code in ({measures})"
        )
        assert drifted(tables, SCORES) == is_seen


def test_a_history_that_changed_since_the_release_in_place_is_seen(tables: duckdb.DuckDBPyConnection) -> None:
    fill(tables, 50, 1)
    tables.execute("update marts.core.order_lines set unit_price = unit_price * 100")
    tables.execute("update marts.core.survey_answers set score = 5")
    assert drifted(tables, PRICES)
    assert drifted(tables, SCORES)
