"""Periods closed on real nights: late data, another policy and a lost warehouse change nothing that was closed, and every
closed statement comes out of the ledger again, cell by cell.
"""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.ledger.basis import closed_table
from orchestration.ledger.canonical import TableText
from orchestration.ledger.corrections import find_statement
from orchestration.ledger.frozen import contact_columns, read_frozen, rebuild
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.recompute import GROUNDS, recompute
from orchestration.ledger.state import fold
from orchestration.ledger.store import open_ledger
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import NightRun, copy_company, run_night, run_scorecard

pytestmark = pytest.mark.xdist_group("closed_periods")

JANUARY, FEBRUARY = PeriodKey("month", date(2026, 1, 1)), PeriodKey("month", date(2026, 2, 1))


@dataclass
class Story:
    """Two nights of one company with two periods closed, and the releases as they were; beside them the night of a company
    that had January's sales right from the start and closed nothing.
    """

    company: Company
    employee_id: str
    first_release: Path
    second_release: Path
    right_from_the_start: Path


def done(run: NightRun) -> str:
    assert run.exit_code == 0, run.output
    return run.output


def close(company: Company, period: str) -> None:
    for step, name in (("calculate", "Ann Lee"), ("approve", "Bob Ray"), ("close", "Cem Oz")):
        done(run_scorecard(company, step, period, "--by", name))


def kept_release(company: Company, target: Path) -> Path:
    shutil.copytree((company.published_dir / "current").resolve(), target)
    return target


def correct_a_sale(company: Company) -> str:
    """Deliver again, in July, every line that one sales associate sold in January, with ten times the quantity."""
    folder = company.extracts_dir / "sales" / "order_lines"
    rows: list[dict[str, str]] = []
    for path in sorted(folder.glob("order_lines_2026-01-*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            rows += csv.DictReader(handle)
    with duckdb.connect(str(company.published_dir / "current" / "incentives.duckdb"), read_only=True) as connection:
        employee_id = connection.execute(
            "select employee_id from incentive.statements where period_start = date '2026-01-01' and gross_amount > 0 "
            "and job_role = 'sales_associate' and amount > 0 and part_days = 31 order by amount limit 1"
        ).fetchall()[0][0]
    corrected = [
        row | {"quantity": str(int(row["quantity"]) * 10)} for row in rows if row["employee_id"] == employee_id
    ]
    assert corrected
    with (folder / "order_lines_2026-07-01.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(corrected[0]))
        writer.writeheader()
        writer.writerows(corrected)
    return str(employee_id)


def change_the_curve(company: Company, day: date) -> None:
    """From ``day`` on, 80 points pay 0.7 and no longer 0.6."""
    curves = company.seeds_dir / "policy" / "scoring_curves.csv"
    text = curves.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("payout_standard,")]
    assert len(rows) > 2
    ended = [row.replace("2025-01-01,,", f"2025-01-01,{day},") for row in rows]
    begun = [row.replace("0.8,0.6,", "0.8,0.7,").replace("2025-01-01", f"{day}") for row in rows]
    curves.write_text(text.replace("\n".join(rows), "\n".join(ended + begun)), encoding="utf-8")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, small_extracts: Path) -> Story:
    folder = tmp_path_factory.mktemp("closed")
    company = copy_company(PROJECT_DIR, folder / "company")
    shutil.copytree(small_extracts, company.extracts_dir)
    done(run_night(company))
    close(company, "2026-01")
    first = kept_release(company, folder / "first")

    employee_id = correct_a_sale(company)
    change_the_curve(company, date(2026, 2, 1))
    # A full refresh: nothing of the warehouse is left, the ledger is.
    shutil.rmtree(company.state_dir)
    done(run_night(company))
    close(company, "2026-02")
    second = kept_release(company, folder / "second")

    other = copy_company(company.folder, folder / "other")
    other.extracts_dir.symlink_to(company.extracts_dir)
    done(run_night(other))
    return Story(company, employee_id, first, second, kept_release(other, folder / "right"))


def statements(release: Path, key: PeriodKey) -> dict[str, tuple[object, ...]]:
    with duckdb.connect(str(release / "incentives.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select statement_id, amount, score, payout_factor from incentive.statements "
            "where period_type = ? and period_start = ?",
            [key.period_type, key.period_start],
        ).fetchall()
    return {row[0]: row for row in rows}


def test_each_past_release_is_rebuilt_equal_cell_by_cell(story: Story) -> None:
    """Two policies and two states of the data, neither of which is today's for January."""
    output = " ".join(done(run_scorecard(story.company, "verify", "--rebuild", "all")).split())
    assert "ledger whole: 6 entries" in output
    for key, release in ((JANUARY, story.first_release), (FEBRUARY, story.second_release)):
        count = len(statements(release, key))
        assert count > 50
        assert f"{key}: {count} statements rebuilt" in output
        with open_ledger(story.company) as ledger:
            closed = fold(ledger.entries()).periods[key].closed
            kept = closed_table(ledger.content, closed, "statements").records()
        assert {row["statement_id"]: row["amount"] for row in kept} == {
            statement_id: str(row[1]) for statement_id, row in statements(release, key).items()
        }


def january_lines(release: Path) -> dict[tuple[str, str], Decimal]:
    with duckdb.connect(str(release / "incentives.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select statement_id, line_key, lines.amount from incentive.statement_lines as lines "
            "inner join incentive.statements using (statement_id) where period_type = 'month' and period_start = ?",
            [JANUARY.period_start],
        ).fetchall()
    return {(statement, line): amount for statement, line, amount in rows}


def test_a_late_correction_becomes_the_exact_difference_in_the_open_period(story: Story) -> None:
    """Nobody else's line is touched, and what was closed stands in the second release as in the first."""
    closed, right = january_lines(story.first_release), january_lines(story.right_from_the_start)
    zero = Decimal("0.00")
    expected = {
        key: difference
        for key in closed.keys() | right.keys()
        if (difference := right.get(key, zero) - closed.get(key, zero))
    }
    assert any(statement.startswith(f"{story.employee_id}|") for statement, _ in expected)
    with duckdb.connect(str(story.second_release / "incentives.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select statement_id, line_key, amount, corrected_period_start, posted_period_start, period_type "
            "from incentive.adjustments where adjustment_type = 'late_data'"
        ).fetchall()
    assert {(row[0], row[1]): row[2] for row in rows} == expected
    assert {row[3:] for row in rows} == {(JANUARY.period_start, FEBRUARY.period_start, "month")}
    assert january_lines(story.second_release) == closed


def test_rebuilding_is_not_copying(story: Story) -> None:
    """A changed input comes out as another amount: the kept rows are what the amounts are computed from."""
    with open_ledger(story.company) as ledger:
        period = fold(ledger.entries()).periods[JANUARY]
        frozen = read_frozen(ledger.content, period.closed)
        before = closed_table(ledger.content, period.closed, "statements").records()
    path = "seeds/policy/incentive_plans.csv"
    text = frozen.files[path].decode()
    assert "sales_month,Sales associate bonus,销售顾问月度奖金,sales_associate,month,salary_share,0.20," in text
    dearer = text.replace(",sales_associate,month,salary_share,0.20,", ",sales_associate,month,salary_share,0.21,")
    frozen.files[path] = dearer.encode()
    after = rebuild(story.company, frozen, JANUARY, period.as_of)["statements"].records()
    amounts = {row["statement_id"]: row["amount"] for row in after}
    changed = {row["plan_code"] for row in before if amounts[row["statement_id"]] != row["amount"]}
    assert changed == {"sales_month"}


def test_what_is_kept_holds_no_names_or_contact_data_and_no_customer(story: Story) -> None:
    assert {"full_name", "email", "contact", "registered_at"} <= contact_columns()
    with duckdb.connect(str(story.company.warehouse_path), read_only=True) as connection:
        customers = {row[0] for row in connection.execute("select customer_id from raw.sales__customers").fetchall()}
        texts = connection.execute("select distinct answer_text from raw.survey__answers where answer_text is not null")
        texts = {row[0] for row in texts.fetchall()}
    assert len(customers) > 1000 and len(texts) > 10
    with open_ledger(story.company) as ledger:
        frozen = read_frozen(ledger.content, fold(ledger.entries()).periods[FEBRUARY].closed)
    inputs = {path: content for path, content in frozen.files.items() if path.startswith("inputs/")}
    assert len(inputs) > 5
    for path, content in inputs.items():
        table = TableText.from_bytes(content)
        assert not contact_columns() & set(table.names), path
        assert not (customers | texts) & {cell for row in table.rows for cell in row}, path
    assert any("customer_id" in TableText.from_bytes(content).names for content in inputs.values())


def test_the_warehouse_holds_what_was_closed_and_the_release_knows_the_ledgers_head(story: Story) -> None:
    with duckdb.connect(str(story.company.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select statement_id, amount, score, payout_factor from control.ledger_statements"
        ).fetchall()
        periods = connection.execute("select period_start, state from control.ledger_periods").fetchall()
    assert {row[0]: row for row in rows} == statements(story.first_release, JANUARY)
    assert periods == [(JANUARY.period_start, "closed")]
    with open_ledger(story.company) as ledger:
        entries = ledger.entries()
    with duckdb.connect(str(story.second_release / "marts.duckdb"), read_only=True) as connection:
        noted = connection.execute("select ledger_entries, ledger_head from meta.publication").fetchall()
    assert noted == [(3, entries[2].entry_hash)]


def test_a_closed_statement_is_explained_as_it_was_closed(story: Story) -> None:
    statement_id = f"{story.employee_id}|sales_month|2026-01-01|1"
    (row,) = (row for key, row in statements(story.first_release, JANUARY).items() if key == statement_id)
    explained = json.loads(done(run_scorecard(story.company, "explain", story.employee_id, "2026-01", "--json")))
    (statement,) = explained["statements"]
    assert (explained["state"], explained["prepared_by"], explained["approved_by"]) == ("closed", "Ann Lee", "Bob Ray")
    assert (statement["amount"], statement["plan_name"]) == (str(row[1]), "Sales associate bonus")
    assert {line["measure_code"] for line in statement["lines"] if line["line_type"] == "measure"} == {
        "revenue", "csat", "nps", "return_rate", "mystery_shopping",
    }  # fmt: skip


def test_a_statement_prints_as_a_person_reads_it_in_two_languages_with_its_rows(story: Story) -> None:
    english = done(run_scorecard(story.company, "explain", story.employee_id, "2026-02", "--rows", "--limit", "3"))
    for expected in (
        "measure",
        "interval",
        "target",
        "points",
        "weight",
        "Net promoter score",
        "CNY",
        "Gate: Customer",
        "order_id=",
    ):
        assert expected in english, expected
    chinese = done(run_scorecard(story.company, "explain", story.employee_id, "2026-02", "--language", "zh"))
    for expected in ("净推荐值", "销售顾问月度奖金", "门槛", "应付总额", "已结账"):
        assert expected in chinese, expected


@pytest.mark.parametrize(
    ("employee", "period", "message"),
    [
        ("E0000X", "2026-01", "there is no employee 'E0000X'; did you mean"),
        ("E00001", "2031-01", "there is no statement of month:2031-01-01; there are statements of month:2026-01-01"),
        ("E00001", "soon", "'soon' is not a period; write 2026-06"),
    ],
)
def test_who_or_what_is_not_known_is_said_clearly(story: Story, employee: str, period: str, message: str) -> None:
    run = run_scorecard(story.company, "explain", employee, period)
    assert run.exit_code == 1
    assert message in " ".join(run.output.split())
    assert "Traceback" not in run.output


def test_every_ground_of_a_dispute_recomputes_its_step(story: Story) -> None:
    """February's data is what February was closed on, so every step agrees; January's sales were corrected since."""
    with open_ledger(story.company) as ledger:
        january = find_statement(story.company, ledger, f"{story.employee_id}|sales_month|2026-01-01|1")
        february = find_statement(story.company, ledger, f"{story.employee_id}|sales_month|2026-02-01|1")
    found = {ground: recompute(story.company, february, None, ground) for ground in GROUNDS}
    assert {ground: step.agrees for ground, step in found.items()} == dict.fromkeys(GROUNDS, True)
    assert len({step.step for step in found.values()}) == 5
    revenue = next(line for line in january.lines if line["measure_code"] == "revenue")
    key = str(revenue.get("line_key") or revenue["line_no"])
    late = recompute(story.company, january, key, "measure_computed_wrongly")
    assert late.agrees is False
    assert late.stated != late.found
    assert recompute(story.company, january, key, "plan_applied_wrongly").agrees is True


def test_a_release_is_not_closed_under_other_seeds_than_it_was_built_with(story: Story) -> None:
    done(run_scorecard(story.company, "calculate", "2026-03", "--by", "Ann Lee"))
    done(run_scorecard(story.company, "approve", "2026-03", "--by", "Bob Ray"))
    path = story.company.seeds_dir / "policy" / "scoring_curves.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Points start at half", "Points begin at half"), encoding="utf-8")
    try:
        run = run_scorecard(story.company, "close", "2026-03", "--by", "Cem Oz")
    finally:
        path.write_text(text, encoding="utf-8")
    assert run.exit_code == 1
    assert "the seeds were changed since release" in " ".join(run.output.split())
