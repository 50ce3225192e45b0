"""What is wrong with one payee holds that payee: the night publishes, and everybody else is paid what they were."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.ledger.corrections import release
from orchestration.ledger.store import open_ledger
from orchestration.settings import Company, load_company
from tests.conftest import FirstNight, NightRun, run_night

pytestmark = pytest.mark.xdist_group("sample_night")

JUNE = "period_type = 'month' and period_start = date '2026-06-01'"


@dataclass(frozen=True)
class Held:
    """A night after the people's list of June lost one salary and a decimal point of another."""

    company: Company
    without_salary: str
    tenfold: str
    run: NightRun
    before: Path

    @property
    def incentives(self) -> Path:
        """The pay file in place."""
        return self.company.published_dir / "current" / "incentives.duckdb"


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def held(first_night: FirstNight, built_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("held") / "company"
    shutil.copytree(first_night.company.folder, folder, symlinks=True)
    company = load_company(folder)
    company.extracts_dir.unlink()
    shutil.copytree(first_night.company.extracts_dir.resolve(), company.extracts_dir)
    one, other = (
        str(row[0])
        for row in ask(
            built_night / "incentives.duckdb",
            f"""select employee_id from incentive.payouts where {JUNE} and amount > 0 and employee_id in (
                    select employee_id from incentive.statements where period_start = date '2026-05-01' and amount > 0
                ) order by employee_id limit 2""",
        )
    )
    for path in sorted((company.extracts_dir / "hr" / "employees").glob("*.csv"))[-2:]:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        for row in rows:
            if row[0] == one:
                row[5] = ""
            if row[0] == other:
                row[5] = row[5].replace(".", "")
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8")
    return Held(company, one, other, run_night(company), built_night)


def test_the_night_publishes_pay_of_its_own(held: Held) -> None:
    assert held.run.exit_code == 0, held.run.output
    query = "select gate_state, incentives_release_id = release_id from meta.publication"
    assert ask(held.incentives, query) == [("green", True)]


def test_both_are_on_hold_with_the_reason_and_nothing_is_transferred_to_them(held: Held) -> None:
    holds = ask(
        held.incentives, "select employee_id, reason, held_by, is_held from incentive.holds order by employee_id"
    )
    rules = {(row[0], str(row[1]).split(":")[0]) for row in holds}
    assert rules == {
        (held.without_salary, "payees.have_a_base"),
        (held.tenfold, "payees.bases_stay"),
        (held.tenfold, "payees.pay_rises_slowly"),
    }
    assert {row[2:] for row in holds} == {("gate", True)}
    payouts = ask(
        held.incentives,
        "select employee_id, is_held, amount, held_amount > 0 from incentive.payouts "
        f"where {JUNE} and employee_id in ('{held.without_salary}', '{held.tenfold}') order by employee_id",
    )
    assert sorted(payouts) == sorted([(held.without_salary, True, 0, False), (held.tenfold, True, 0, True)])


def test_everybody_else_is_paid_what_they_were(held: Held) -> None:
    query = (
        "select * from incentive.payouts where employee_id not in "
        f"('{held.without_salary}', '{held.tenfold}') order by all"
    )
    assert ask(held.incentives, query) == ask(held.before / "incentives.duckdb", query)
    earlier = f"select * from incentive.payouts where not ({JUNE}) order by all"
    assert ask(held.incentives, earlier) == ask(held.before / "incentives.duckdb", earlier)


def test_a_person_may_release_a_doubt_and_the_ledger_knows_who(held: Held) -> None:
    hold_ids = [
        str(row[0])
        for row in ask(
            held.incentives,
            f"select hold_id from incentive.holds where employee_id = '{held.tenfold}' and held_by = 'gate' order by all",
        )
    ]
    assert len(hold_ids) == 2
    for hold_id in hold_ids:
        release(held.company, hold_id, "promoted, see the contract", "Ann Lee")
    with open_ledger(held.company) as ledger:
        entries = [(entry.kind, entry.actor) for entry in ledger.entries()]
    assert entries == [("hold_placed", "gate"), ("hold_released", "Ann Lee")] * 2
