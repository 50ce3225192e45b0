"""Only touched days and periods are computed again, and the result is that of computing everything."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.settings import Company
from tests.models.conftest import Bench, new_bench

pytestmark = pytest.mark.xdist_group("models")

Answer = dict[str, object]
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
CHAIN = ("run", "--select", "int_survey_days_touched+", "--exclude", "tag:incentives", "resource_type:unit_test")
TABLES = ("int_survey_counted_daily", "int_survey_audiences_counted_daily", "int_cx_pairs_counted_daily")
RESULTS = ("int_kpis_summed", "int_kpis_estimated", "int_kpis_shrunken", "int_cx_indexes_valued")
COLUMNS = (
    "response_id, question_code, measure_code, submitted_on, store_id, region, employee_id, department_code, "
    "touchpoint_code, segment, channel, normalised_score, is_top_box, is_bottom_box, weight, exclusion_reason, "
    "uncredited_reason, is_screened, row_stamp"
)


def _answers(random_: random.Random, count: int) -> dict[tuple[str, str], Answer]:
    answers = {}
    for number in range(count):
        response = f"r{random_.getrandbits(40)}-{number}"
        on = FIRST + timedelta(days=random_.randrange(90))
        for measure in ("csat", "nps"):
            answers[response, measure] = _answer(random_, response, measure, on)
    return answers


def _answer(random_: random.Random, response: str, measure: str, on: date) -> Answer:
    good, bad = random_.choice([(True, False), (False, True), (False, False)])
    employee = random_.randrange(8)
    excluded = random_.random() < 0.1
    return {
        "response_id": response,
        "question_code": measure,
        "measure_code": measure,
        "submitted_on": on,
        "store_id": f"s{employee % 5}",
        "region": f"region{employee % 2}",
        "employee_id": None if random_.random() < 0.1 else f"e{employee}",
        "department_code": "sales",
        "touchpoint_code": random_.choice(["checkout_till", "delivery", None]),
        "segment": random_.choice(["gold", None]),
        "channel": random_.choice(["qr", "sms"]),
        "normalised_score": Decimal(random_.choice([0, 25, 50, 75, 100])),
        "is_top_box": good,
        "is_bottom_box": bad,
        "weight": Decimal(random_.choice(["0.5", "1", "1.75"])),
        "exclusion_reason": "burst" if excluded else None,
        "uncredited_reason": None,
        "is_screened": excluded,
    }


def _put(bench: Bench, answers: dict[tuple[str, str], Answer], code_version: str = "one") -> None:
    rows = list(answers.values())
    random.Random(len(rows)).shuffle(rows)
    bench.fill(
        "intermediate.int_answers_scored",
        COLUMNS,
        [[*row.values(), hash(tuple(row.values())) & (2**62 - 1)] for row in rows],
    )
    with bench.connect() as connection:
        connection.execute("update control.night set code_version = ?", [code_version])


def _prepare(bench: Bench) -> None:
    """Calendar and peers, which the answers are counted by."""
    days = [FIRST + timedelta(days=number) for number in range(90)]
    bench.fill(
        "intermediate.int_days_dated",
        "date_day, month_start, quarter_start",
        [[day, day.replace(day=1), FIRST] for day in days],
    )
    months = [date(2026, month, 1) for month in (1, 2, 3)]
    periods = [["day", day, day + timedelta(days=1), True] for day in days]
    periods += [["month", month, date(2026, month.month + 1, 1), True] for month in months]
    bench.fill(
        "intermediate.int_periods_listed",
        "period_type, period_start, period_end, is_complete",
        [*periods, ["quarter", FIRST, date(2026, 4, 1), True]],
    )
    roles = [[f"e{number}", kind, start, "seller"] for number in range(8) for kind, start in
             [("quarter", FIRST), *(("month", month) for month in months)]]  # fmt: skip
    bench.fill("intermediate.int_employees_peered", "employee_id, period_type, period_start, job_role", roles)


def _contents(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    with bench.connect() as connection:
        return {
            table: connection.execute(f"select * from intermediate.{table} order by all").fetchall()
            for table in (*TABLES, *RESULTS)
        }


def _touched(bench: Bench) -> set[date]:
    with bench.connect() as connection:
        return {
            row[0] for row in connection.execute("select date_day from intermediate.int_survey_days_touched").fetchall()
        }


def _from_nothing(
    empty: Company, folder: Path, answers: dict[tuple[str, str], Answer]
) -> dict[str, list[tuple[object, ...]]]:
    bench = new_bench(empty, folder)
    _prepare(bench)
    _put(bench, answers)
    bench.dbt(*CHAIN)
    return _contents(bench)


def test_nights_in_any_split_give_what_one_full_build_gives(
    bench: Bench, empty_warehouse: Company, tmp_path: Path
) -> None:
    random_ = random.Random(4)
    answers = _answers(random_, 300)
    _prepare(bench)
    keys = list(answers)
    random_.shuffle(keys)
    _put(bench, {key: answers[key] for key in keys[:400]})
    bench.dbt(*CHAIN)

    # The next night delivers the rest and corrects, takes away and credits anew what was there.
    moved, gone, recredited = keys[0], keys[1], keys[2]
    left = answers[moved]["submitted_on"]
    assert isinstance(left, date)
    arrived = FIRST if left != FIRST else LAST
    answers[moved] = {**answers[moved], "submitted_on": arrived}
    days_of_others = {answers[key]["submitted_on"] for key in keys[400:]}
    lost = answers.pop(gone)
    answers[recredited] = {**answers[recredited], "employee_id": "e7", "store_id": "s4"}
    _put(bench, answers)
    bench.dbt(*CHAIN)
    assert {left, arrived, lost["submitted_on"], answers[recredited]["submitted_on"]} <= _touched(bench)
    assert _touched(bench) == {
        left, arrived, lost["submitted_on"], answers[recredited]["submitted_on"], *days_of_others
    }  # fmt: skip
    patched = _contents(bench)
    assert all(patched[table] for table in (*TABLES, *RESULTS))
    assert patched == _from_nothing(empty_warehouse, tmp_path / "whole", answers)

    bench.dbt(*CHAIN)
    assert _touched(bench) == set()
    assert _contents(bench) == patched


def test_a_day_is_emptied_when_its_last_answer_leaves_and_a_killed_night_is_made_good(bench: Bench) -> None:
    answers = _answers(random.Random(7), 60)
    _prepare(bench)
    _put(bench, answers)
    bench.dbt(*CHAIN)
    day = next(iter(answers.values()))["submitted_on"]
    left = {key: row for key, row in answers.items() if row["submitted_on"] != day}
    _put(bench, left)
    # Killed after the first of the counts was patched.
    bench.dbt("run", "--select", "int_survey_days_touched", "int_survey_counted_daily")
    bench.dbt(*CHAIN)
    with bench.connect() as connection:
        for table in TABLES:
            (count,) = connection.execute(
                f"select count(*) from intermediate.{table} where date_day = ?", [day]
            ).fetchall()[0]
            assert count == 0, table
        assert connection.execute(
            "select count(*) from intermediate.int_kpis_valued where period_type = 'day' and period_start = ?", [day]
        ).fetchall() == [(0,)]
    patched = _contents(bench)
    _put(bench, left, code_version="two")
    bench.dbt(*CHAIN)
    assert _touched(bench) == {row["submitted_on"] for row in left.values()}, "other code counts every day again"
    assert _contents(bench) == patched
