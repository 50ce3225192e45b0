"""Of which rows the excluded are too many: those of the last four weeks, and those without a day that are new."""

from __future__ import annotations

import duckdb
import pytest

from expectations.survey_answers import RULES


# Ten answers a day over 200 days, of which a tenth may be excluded.
@pytest.mark.parametrize(
    ("excluded_days", "lost_days", "lost_in_place", "has_release", "is_refused"),
    [
        (range(2), 0, 0, True, False),
        (range(3), 0, 0, True, True),
        (range(28, 40), 0, 0, True, False),
        # Of all of history it still is more than a tenth.
        (range(28, 50), 0, 0, True, True),
        # Nobody knows the day of an answer without its response: of those that are new it was a day of late.
        (range(0), 4, 0, True, True),
        (range(0), 4, 4, True, False),
        (range(0), 4, 0, False, False),
    ],
)
def test_a_tenth_of_four_weeks_is_too_much(
    excluded_days: range, lost_days: int, lost_in_place: int, has_release: bool, is_refused: bool
) -> None:
    (rule,) = (rule for rule in RULES if rule.name == "survey_answers.excluded_share_is_small")
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; create schema warehouse.control")
        connection.execute("create table warehouse.control.night as select date '2026-06-30' as as_of")
        for name, lost in (("marts", lost_days), ("previous", lost_in_place)):
            connection.execute(f"attach ':memory:' as {name}; create schema {name}.core")
            connection.execute(
                f"create table {name}.core.survey_answers as "
                "select date '2026-06-30' - day::integer as submitted_on, "
                "case when list_contains($excluded::bigint[], day) then 'screened' end as exclusion_reason "
                "from range(200) as days(day), range(10) union all "
                "select null, 'no_response' from range($lost * 10)",
                {"excluded": list(excluded_days), "lost": lost},
            )
        if not has_release:
            connection.execute("delete from previous.core.survey_answers")
        ((checked, failed, _),) = connection.execute(rule.sql, {"threshold": "0.1"}).fetchall()
    assert checked == 2000 + 10 * lost_days
    assert bool(failed) == is_refused
