"""When a file that could not be read is missed, one without a row, and a day of the past."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from expectations.order_lines import RULES as ORDER_RULES
from expectations.rules import Rule
from expectations.sources import PAY_RULES

UNREAD = ("refused", "waiting")
FILE = ("sales", "order_lines")
DAY = "2026-03-10"


def named(rules: tuple[Rule, ...], name: str) -> Rule:
    (found,) = (rule for rule in rules if rule.name == name)
    return found


@pytest.fixture
def files() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as marts; create schema marts.meta")
        connection.execute("attach ':memory:' as warehouse; create schema warehouse.control")
        connection.execute("create table warehouse.control.night as select date '2026-03-12' as as_of")
        connection.execute(
            "create table marts.meta.landed_files (source_name varchar, extract_name varchar, status varchar, "
            "delivered_on date, is_dated boolean, is_full_list boolean default false, file_name varchar default 'a.csv', "
            "reason varchar, row_count bigint, raw_row_count bigint)"
        )
        yield connection


def missed(connection: duckdb.DuckDBPyConnection, *rows: tuple[object, ...], allowed: str = "0") -> int:
    connection.executemany(
        "insert into marts.meta.landed_files (source_name, extract_name, status, delivered_on, is_dated) "
        "values (?, ?, ?, ?, ?)",
        rows,
    )
    rule = named(PAY_RULES, "landed_files.unread_are_replaced")
    return int(connection.execute(rule.sql, {"threshold": allowed}).fetchall()[0][1])


@pytest.mark.parametrize("status", UNREAD)
@pytest.mark.parametrize(
    ("landed", "is_missed"),
    [
        ((*FILE, "landed", DAY), 0),
        ((*FILE, "landed", "2026-03-11"), 1),
        ((*FILE, "duplicate", DAY), 1),
        (("sales", "returns", "landed", DAY), 1),
        (("service", "order_lines", "landed", DAY), 1),
    ],
)
def test_a_file_of_a_day_is_missed_until_a_readable_one_of_its_extract_and_day_comes(
    files: duckdb.DuckDBPyConnection, status: str, landed: tuple[str, ...], is_missed: int
) -> None:
    assert missed(files, (*FILE, status, DAY, True), (*landed, True)) == is_missed


@pytest.mark.parametrize("status", UNREAD)
@pytest.mark.parametrize(("day", "is_missed"), [("2026-03-09", 1), (DAY, 0), ("2026-03-11", 0)])
def test_a_file_without_a_day_in_its_name_is_missed_until_a_later_one_comes(
    files: duckdb.DuckDBPyConnection, status: str, day: str, is_missed: int
) -> None:
    assert missed(files, (*FILE, status, DAY, False), (*FILE, "landed", day, False)) == is_missed


@pytest.mark.parametrize("status", UNREAD)
@pytest.mark.parametrize(("day", "is_missed"), [("2026-03-09", 1), (DAY, 0), ("2026-03-11", 0)])
def test_a_full_list_of_a_day_is_missed_until_one_of_that_day_or_a_later_one_comes(
    files: duckdb.DuckDBPyConnection, status: str, day: str, is_missed: int
) -> None:
    files.execute("alter table marts.meta.landed_files alter is_full_list set default true")
    assert missed(files, (*FILE, status, DAY, True), (*FILE, "landed", day, True)) == is_missed


@pytest.mark.parametrize(
    ("status", "day", "is_missed"),
    [
        ("refused", "2026-03-12", 1),
        # Somebody may be writing it.
        ("waiting", "2026-03-12", 0),
        ("waiting", "2026-03-11", 1),
        ("refused", "2026-03-13", 0),
        ("waiting", "2026-03-13", 0),
    ],
)
def test_nothing_is_missed_before_its_day_and_what_waits_not_on_it(
    files: duckdb.DuckDBPyConnection, status: str, day: str, is_missed: int
) -> None:
    assert missed(files, (*FILE, status, day, True)) == is_missed


def test_an_unread_file_whose_day_nobody_knows_is_missed(files: duckdb.DuckDBPyConnection) -> None:
    assert missed(files, (*FILE, "refused", None, None), (*FILE, "landed", DAY, True)) == 1


def test_what_belongs_to_no_extract_is_not_missed(files: duckdb.DuckDBPyConnection) -> None:
    assert missed(files, (None, None, "refused", None, None)) == 0


@pytest.mark.parametrize(("allowed", "is_missed"), [("0", 2), ("1", 2), ("2", 0)])
def test_a_company_may_say_how_many_files_pay_does_not_wait_for(
    files: duckdb.DuckDBPyConnection, allowed: str, is_missed: int
) -> None:
    assert (
        missed(files, (*FILE, "refused", DAY, True), (*FILE, "waiting", "2026-03-11", True), allowed=allowed)
        == is_missed
    )


def empty(
    connection: duckdb.DuckDBPyConnection,
    *days: tuple[int, str, int, int],
    allowed: str = "0",
    is_dated: bool = True,
) -> int:
    """Days ago, status, rows of the file and of these how many landed."""
    connection.executemany(
        "insert into marts.meta.landed_files "
        "(source_name, extract_name, status, delivered_on, row_count, raw_row_count, is_dated) "
        "select 'sales', 'order_lines', $2, date '2026-03-12' - $1::integer, $3, $4, $5",
        [(*day, is_dated) for day in days],
    )
    rule = named(PAY_RULES, "landed_files.empty_are_replaced")
    return int(connection.execute(rule.sql, {"threshold": allowed}).fetchall()[0][1])


USUAL = [(days_ago, "landed", 100, 100) for days_ago in range(1, 61) if days_ago != 30]


@pytest.mark.parametrize(
    ("file", "is_missed"),
    [
        (("landed", 0, 0), 1),
        # All empty files are the same file; only the first of them is new.
        (("duplicate", 0, 0), 1),
        # None of its rows could be taken in.
        (("landed", 90, 0), 1),
        (("duplicate", 90, 0), 0),
        (("landed", 1, 1), 0),
        # Missed as a file that could not be read.
        (("refused", 0, 0), 0),
    ],
)
def test_a_file_without_a_row_is_missed_where_none_ever_was(
    files: duckdb.DuckDBPyConnection, file: tuple[str, int, int], is_missed: int
) -> None:
    assert empty(files, *USUAL, (0, *file)) == is_missed


def test_an_empty_day_is_missed_until_its_rows_come(files: duckdb.DuckDBPyConnection) -> None:
    gap = [day for day in USUAL if day[0] != 3]
    assert empty(files, *gap, (3, "landed", 0, 0)) == 1
    assert empty(files, (3, "landed", 80, 80)) == 0


@pytest.mark.parametrize(("is_dated", "is_missed"), [(True, 1), (False, 0)])
def test_an_empty_file_without_a_day_in_its_name_is_missed_until_a_later_one_comes(
    files: duckdb.DuckDBPyConnection, is_dated: bool, is_missed: int
) -> None:
    assert empty(files, *USUAL[2:], (2, "landed", 0, 0), is_dated=is_dated) == 1
    assert empty(files, (1, "landed", 80, 80), is_dated=is_dated) == is_missed


@pytest.mark.parametrize(
    ("earlier", "is_missed"),
    [
        # A fortnight of empty days does not become the custom, one a week has always been it.
        ([(days_ago, "landed", 0 if days_ago < 15 else 100, 100) for days_ago in range(1, 400)], 15),
        ([(days_ago, "landed", 0 if days_ago % 7 == 0 else 100, 100) for days_ago in range(1, 400)], 0),
        # Few rows on many days: some day has none.
        ([(days_ago, "landed", days_ago % 5 + 1, days_ago % 5 + 1) for days_ago in range(1, 400)], 0),
        # No custom yet, and the shortest.
        (USUAL[:4], 0),
        (USUAL[:5], 1),
    ],
)
def test_an_extract_that_often_has_nothing_may_have_nothing(
    files: duckdb.DuckDBPyConnection, earlier: list[tuple[int, str, int, int]], is_missed: int
) -> None:
    days = [(days_ago, status, rows, min(rows, landed)) for days_ago, status, rows, landed in earlier]
    assert empty(files, *days, (0, "duplicate", 0, 0)) == is_missed


@pytest.mark.parametrize(("allowed", "is_missed"), [("0", 2), ("1", 2), ("2", 0)])
def test_a_company_may_say_how_many_empty_days_pay_does_not_wait_for(
    files: duckdb.DuckDBPyConnection, allowed: str, is_missed: int
) -> None:
    days = [*USUAL, (30, "landed", 0, 0), (0, "duplicate", 0, 0)]
    assert empty(files, *days, allowed=allowed) == is_missed


@pytest.mark.parametrize(
    ("in_place", "now", "is_lost"),
    [
        (40, 0, 1),
        (40, 19, 1),
        # Half of the day is still there.
        (40, 20, 0),
        # Too few to tell a loss from a correction.
        (19, 0, 0),
        (20, 0, 1),
        (0, 40, 0),
    ],
)
def test_a_day_is_lost_with_most_of_its_rows_and_not_with_a_few(in_place: int, now: int, is_lost: int) -> None:
    rule = named(ORDER_RULES, "order_lines.no_day_was_lost")
    with duckdb.connect() as connection:
        for name, rows in (("previous", in_place), ("marts", now)):
            connection.execute(f"attach ':memory:' as {name}; create schema {name}.core")
            connection.execute(
                f"create table {name}.core.order_lines as select case when n < {rows} then date '2026-03-10' "
                f"when n < 99 then date '2026-03-11' end as ordered_on from range(120) as lines(n) where n >= 50 or n < {rows}"
            )
        ((_, failed, _),) = connection.execute(rule.sql, {"threshold": "20"}).fetchall()
    assert failed == is_lost
