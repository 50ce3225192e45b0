"""One night of a small sample chain: published figures against plain Python, and what later nights may change."""

from __future__ import annotations

import csv
import gzip
import json
import re
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from orchestration.landing.contract_reader import read_contract
from orchestration.publishing.release import current_release, verify_release
from orchestration.settings import Company
from tests.conftest import FirstNight, NightRun, run_night

pytestmark = pytest.mark.xdist_group("sample_night")


@pytest.fixture(scope="module")
def night(first_night: FirstNight) -> tuple[Company, NightRun]:
    return first_night.company, first_night.run


@pytest.fixture
def marts(night: tuple[Company, NightRun]) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(night[0].published_dir / "current" / "marts.duckdb"), read_only=True)


@pytest.fixture
def incentives(night: tuple[Company, NightRun]) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(night[0].published_dir / "current" / "incentives.duckdb"), read_only=True)


def _rows(extracts: Path, extract: str, columns: set[str]) -> list[dict[str, str]]:
    """All rows of an extract's CSV files in delivery order, later files last. Independent of landing."""
    rows = []
    for path in sorted(
        (extracts / extract).iterdir(), key=lambda path: (re.findall(r"\d{4}-\d\d-\d\d", path.name), path.name)
    ):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                assert columns <= row.keys(), path
                rows.append(row)
    return rows


def _latest(rows: list[dict[str, str]], *key: str) -> list[dict[str, str]]:
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def test_the_night_publishes_and_says_so(night: tuple[Company, NightRun]) -> None:
    company, run = night
    assert run.exit_code == 0, run.output
    for expected in ("published", "CSAT", "NPS", "revenue", "statements", "0 failed"):
        assert expected in run.output
    release = current_release(company)
    assert release is not None
    verify_release(release)


def test_revenue_per_store_and_month_equals_plain_python(
    small_extracts: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    lines = _rows(small_extracts, "sales/order_lines", {"order_id", "line_no", "ordered_at", "store_id"})
    good = [line for line in lines if line["store_id"]]
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in _latest(good, "order_id", "line_no"):
        amount = Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["discount_amount"] or 0)
        expected[line["store_id"], line["ordered_at"][:7]] += amount
    published = marts.execute(
        "select entity_id, strftime(period_start, '%Y-%m'), value from kpi.kpi_results "
        "where measure_code = 'revenue' and level = 'store' and period_type = 'month'"
    ).fetchall()
    assert {(store, month): value for store, month, value in published} == dict(expected)


def test_screens_find_what_was_planted_and_nobody_else(small_extracts: Path, marts: duckdb.DuckDBPyConnection) -> None:
    truth = json.loads((small_extracts / "truth.json").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = defaultdict(set)
    for code, response_id in marts.execute(
        "select exclusion_reason, response_id from core.survey_responses where exclusion_reason is not null"
    ).fetchall():
        found[code].add(response_id)
    filled = truth["self_filler"]["response_ids"]
    days: dict[date, set[str]] = defaultdict(set)
    for day, response_id in marts.execute(
        "select submitted_on, response_id from core.survey_responses where list_contains($ids, response_id)",
        {"ids": filled},
    ).fetchall():
        days[day].add(response_id)
    # One or two receipts on a day are what a customer might send; from three on all of them are found.
    assert found["repeated_device"] == set().union(*(ids for ids in days.values() if len(ids) >= 3)) != set()
    for code, planted in truth["screened"].items():
        # Of two answers with one code the earlier counts, whichever of them took it from the other.
        assert len(found[code]) == len(planted) if code == "repeated_token" else found[code] == set(planted), code
    assert found["burst"]
    assert found["staff_device"]
    honest = marts.execute("select count(*) from core.survey_responses where exclusion_reason is null").fetchall()[0][0]
    others = sum(len(ids) for code, ids in found.items() if code not in {"repeated_device", *truth["screened"]})
    assert others <= honest / 1000
    flagged = {
        row[0] for row in marts.execute("select employee_id from kpi.integrity_flags where is_flagged").fetchall()
    }
    assert truth["self_filler"]["employee_id"] in flagged
    assert len(flagged) <= 1 + len(truth["employees"]) / 200


def test_topics_of_comments_are_those_that_were_written(small_extracts: Path, marts: duckdb.DuckDBPyConnection) -> None:
    truth = json.loads((small_extracts / "truth.json").read_text(encoding="utf-8"))
    written = {(row["theme"], row["polarity"]): row["comments"] for row in truth["comments"]["counts"]}
    found = {
        row[:2]: row[2]
        for row in marts.execute(
            "select topic_code, polarity, count(*) from voice.feedback_topics group by all"
        ).fetchall()
    }
    assert sum(min(found.get(key, 0), count) for key, count in written.items()) >= 0.95 * sum(written.values())
    assert sum(count for key, count in found.items() if key not in written) <= 0.1 * sum(written.values())


def test_csat_and_nps_per_store_and_month_equal_plain_python(
    small_extracts: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    screened = {
        row[0]
        for row in marts.execute(
            "select response_id from core.survey_responses where exclusion_reason is not null"
        ).fetchall()
    }
    responses = {
        row["response_id"]: row
        for row in _latest(_rows(small_extracts, "survey/responses", {"response_id", "store_id"}), "response_id")
    }
    scores: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for answer in _latest(
        _rows(small_extracts, "survey/answers", {"response_id", "score"}), "response_id", "question_code"
    ):
        response = responses.get(answer["response_id"])
        code = answer["question_code"]
        measure = "csat" if code.startswith("csat") else "nps" if code == "nps_recommend" else None
        counts = response and response["response_id"] not in screened
        if response and counts and response["store_id"] and measure and re.fullmatch(r"\d+(\.\d+)?", answer["score"]):
            scores[measure, response["store_id"], response["submitted_at"][:7]].append(int(float(answer["score"])))
    published = {
        row[:3]: row[3:]
        for row in marts.execute(
            "select measure_code, entity_id, strftime(period_start, '%Y-%m'), value, n, numerator from kpi.kpi_results "
            "where measure_code in ('csat', 'nps') and level = 'store' and period_type = 'month'"
        ).fetchall()
    }
    assert set(published) == set(scores)
    for key, values in scores.items():
        value, n, numerator = published[key]
        good = sum(score >= (4 if key[0] == "csat" else 9) for score in values)
        bad = 0 if key[0] == "csat" else sum(score <= 6 for score in values)
        assert (n, numerator) == (len(values), good - bad), key
        if n >= 5:
            exact = Fraction(good - bad, len(values)) * (1 if key[0] == "csat" else 100)
            assert abs(Fraction(value) - exact) <= Fraction(1, 10**9), key
        else:
            assert value is None, key


def test_statements_are_whole(incentives: duckdb.DuckDBPyConnection) -> None:
    assert incentives.execute("select count(*) > 0 from incentive.statements").fetchall() == [(True,)]
    broken = incentives.execute(
        """
        select statement_id from incentive.statements as statements
        left join (select statement_id, sum(amount) as lines from incentive.statement_lines group by 1) using (statement_id)
        where statements.amount is distinct from lines
        """
    ).fetchall()
    assert broken == []


def test_pay_columns_are_decimal_or_integer(incentives: duckdb.DuckDBPyConnection) -> None:
    columns = incentives.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'incentive' "
        "and data_type in ('DOUBLE', 'FLOAT') and column_name not in ('ci_low', 'ci_high')"
    ).fetchall()
    assert columns == []


def test_bi_sees_no_pay_names_or_contact(marts: duckdb.DuckDBPyConnection) -> None:
    columns = {row[0] for row in marts.execute("select column_name from information_schema.columns").fetchall()}
    assert not columns & {"full_name", "email", "contact", "salary_amount", "amount", "base_amount", "gross_amount"}
    assert marts.execute(
        "select count(*) from information_schema.tables where table_schema = 'incentive'"
    ).fetchall() == [(0,)]


def test_files_are_private_as_they_should_be_and_of_one_release(night: tuple[Company, NightRun]) -> None:
    folder = night[0].published_dir / "current"
    assert (folder / "incentives.duckdb").stat().st_mode & 0o777 == 0o600
    ids = set()
    for name in ("marts.duckdb", "incentives.duckdb"):
        with duckdb.connect(str(folder / name), read_only=True) as connection:
            ids |= set(connection.execute("select release_id from meta.publication").fetchall())
        assert not (folder / f"{name}.wal").exists()
    assert len(ids) == 1


def test_bad_rows_are_in_quarantine_with_line_and_text(small_extracts: Path, marts: duckdb.DuckDBPyConnection) -> None:
    refused = marts.execute("select file_name, line_no, column_name, raw_text from meta.rejected_rows").fetchall()
    assert refused
    for file_name, line_no, column_name, raw_text in refused:
        line = (small_extracts / file_name).read_text(encoding="utf-8").splitlines()[line_no - 1]
        assert raw_text.strip() == line.strip()
        assert column_name
    counts = marts.execute(
        "select count(*) from meta.landed_files where status = 'landed' and row_count != raw_row_count + rejected_row_count"
    ).fetchall()
    assert counts == [(0,)]


def test_readers_see_which_files_list_everything(marts: duckdb.DuckDBPyConnection) -> None:
    files = marts.execute("select distinct source_name, extract_name, is_full_list from meta.landed_files").fetchall()
    told = {(source, extract): is_list for source, extract, is_list in files}
    by_contract = {key: extract.mode == "snapshot" for key, extract in read_contract().extracts.items()}
    assert told == {key: is_list for key, is_list in by_contract.items() if key in told}
    assert set(told.values()) == {True, False}


@pytest.mark.parametrize("name", ["marts", "incentives"])
def test_every_table_and_column_that_readers_see_is_described(night: tuple[Company, NightRun], name: str) -> None:
    with duckdb.connect(str(night[0].published_dir / "current" / f"{name}.duckdb"), read_only=True) as connection:
        looked_at = connection.execute("select count(*) from duckdb_columns() where not internal").fetchall()[0][0]
        silent = connection.execute(
            """
            select schema_name, table_name, null as column_name from duckdb_tables() where coalesce(comment, '') = ''
            union all
            select schema_name, table_name, column_name from duckdb_columns()
            where not internal and coalesce(comment, '') = ''
            """
        ).fetchall()
    assert looked_at > 30
    assert silent == []


def test_every_order_line_the_sample_says_it_wrote_is_in_the_mart(
    small_extracts: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    truth = json.loads((small_extracts / "truth.json").read_text(encoding="utf-8"))
    assert (
        marts.execute("select count(*) from core.order_lines").fetchall()[0][0]
        == (truth["totals"]["unique_keys"]["sales/order_lines"])
    )


def test_a_second_night_with_nothing_new_changes_nothing(night: tuple[Company, NightRun]) -> None:
    company, _ = night
    before = (company.published_dir / "current").resolve()
    run = run_night(company)
    assert run.exit_code == 0, run.output
    assert "nothing new" in run.output
    assert (company.published_dir / "current").resolve() == before


# A BI tool is another process, and it opens the path that the README names. The last reading begins after the night ended.
READER = """
import os, sys, duckdb
stop, path = sys.argv[1:]
is_last = False
while not is_last:
    is_last = os.path.exists(stop)
    try:
        with duckdb.connect(path, read_only=True) as reader:
            print("saw", *reader.execute(
                "select (select release_id from meta.publication), (select sum(numerator) from kpi.kpi_results)"
            ).fetchall()[0])
    except duckdb.Error as error:
        print("error", error)
"""


def _publish_again_while_reading(company: Company) -> tuple[NightRun, list[str], list[tuple[str, str]]]:
    stop = company.folder / "stop-reading"
    path = company.published_dir / "current" / "marts.duckdb"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(stop), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    collector = threading.Thread(target=lambda: lines.extend(reader.stdout or []))
    collector.start()
    try:
        run = run_night(company)
    finally:
        stop.touch()
        collector.join()
        stop.unlink()
    assert reader.wait() == 0
    seen = [tuple(line.split()[1:]) for line in lines if line.startswith("saw ")]
    return run, [line for line in lines if not line.startswith("saw ")], [(row[0], row[1]) for row in seen]


def test_refused_incentives_leave_the_last_good_pay_and_readers_see_whole_nights(
    night: tuple[Company, NightRun],
) -> None:
    company, _ = night
    old = current_release(company)
    assert old is not None
    thresholds = company.seeds_dir / "policy" / "gate_thresholds.csv"
    good = thresholds.read_text(encoding="utf-8")
    thresholds.write_text(
        good.replace(
            "statements.pay_no_more_than_the_budget_factor,1.3", "statements.pay_no_more_than_the_budget_factor,0.0001"
        ),
        encoding="utf-8",
    )
    try:
        run, errors, seen = _publish_again_while_reading(company)
    finally:
        thresholds.write_text(good, encoding="utf-8")
    assert run.exit_code == 3, run.output
    assert errors == []
    new = current_release(company)
    assert new is not None
    assert new.release_id != old.release_id
    # Every reading is of one whole night, none goes back, and the loop did read on both sides of the swap.
    releases = [release for release, _ in seen]
    assert releases == sorted(releases)
    assert set(releases) == {old.release_id, new.release_id}
    assert len({figures for _, figures in seen}) == 1
    assert new.verdict.incentives_release_id == old.release_id
    tables = ("statements", "statement_lines", "payouts")
    paid = [
        [connection.execute(f"from incentive.{table} order by all").fetchall() for table in tables]
        for connection in (duckdb.connect(str(release.incentives_path), read_only=True) for release in (old, new))
    ]
    assert paid[0] == paid[1]
    with duckdb.connect(str(new.marts_path), read_only=True) as connection:
        state, carried, reasons = connection.execute(
            "select gate_state, incentives_release_id, reasons from meta.publication"
        ).fetchall()[0]
        unit_tests, standing = connection.execute(
            "select count(*), count(*) filter (passed and observed like 'ran on 20%') from meta.check_results "
            "where scope = 'marts' and name like 'unit_test.%'"
        ).fetchall()[0]
    assert (state, carried) == ("incentives_held", old.release_id)
    assert "budget_factor" in reasons
    # The code is that of the night before, so that its unit tests did not run again, and are among the checks.
    assert 0 < unit_tests == standing


def test_a_night_leaves_a_damaged_release_for_the_newest_that_is_whole(night: tuple[Company, NightRun]) -> None:
    company, _ = night
    damaged = current_release(company)
    assert damaged is not None
    content = bytearray(damaged.marts_path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.marts_path.write_bytes(content)
    run = run_night(company)
    assert run.exit_code == 0, run.output
    assert "marts.duckdb: is not the file that was checked; readers have release" in run.output
    release = current_release(company)
    assert release is not None and release.release_id < damaged.release_id
    verify_release(release)
    # It is of the same inputs as this night, whose policy is that of the first again.
    assert f"nothing new: release {release.release_id}" in run.output


@pytest.mark.parametrize(
    ("seed", "old", "new", "message"),
    [
        ("scorecard_templates", ",0.30,store,", ",0.20,store,", "sum to 0.9"),
        ("scorecard_templates", "month,revenue,", "month,revenu,", "'revenu' is not known in measures"),
        ("measure_targets", "csat,company,*,month,0.5,0.6,0.75,0.85,2025-01-01,,", None, "overlaps line"),
    ],
)
def test_a_bad_policy_is_named_by_seed_and_line_and_publishes_nothing(
    night: tuple[Company, NightRun], seed: str, old: str, new: str | None, message: str
) -> None:
    company, _ = night
    before = (company.published_dir / "current").resolve()
    path = company.seeds_dir / "policy" / f"{seed}.csv"
    good = path.read_text(encoding="utf-8")
    assert old in good
    if new is None:
        line = next(line for line in good.splitlines() if line.startswith(old))
        bad = good + line + "\n"
    else:
        bad = good.replace(old, new, 1)
    path.write_text(bad, encoding="utf-8")
    try:
        run = run_night(company)
    finally:
        path.write_text(good, encoding="utf-8")
    flat = " ".join(run.output.split())
    assert run.exit_code == 1
    assert re.search(rf"seeds/policy/{seed}\.csv line \d+: [^|]*{re.escape(message)}", flat), run.output
    assert (company.published_dir / "current").resolve() == before
