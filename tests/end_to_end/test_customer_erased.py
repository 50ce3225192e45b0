"""A customer is erased by one command: no byte of them is left in what is kept, and every total is what it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.erasure.register import key_path, pseudonym
from orchestration.landing.scrub import ERASED_TEXT
from orchestration.settings import Company, load_company
from tests.conftest import FirstNight, NightRun, run_scorecard
from tests.erasure.test_landing_without_the_erased import telling_in

pytestmark = pytest.mark.xdist_group("sample_night")


@dataclass(frozen=True)
class Erased:
    """One customer of the small chain, erased; ``before`` holds the files of the release before."""

    company: Company
    customer: str
    telling: tuple[str, ...]
    text: str
    run: NightRun
    before: Path

    @property
    def name(self) -> str:
        """The pseudonym."""
        return pseudonym(key_path(self.company).read_text(encoding="ascii").strip().encode(), self.customer)

    @property
    def release(self) -> Path:
        """Folder of the release in place."""
        return (self.company.published_dir / "current").resolve()


@pytest.fixture(scope="module")
def erased(first_night: FirstNight, built_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Erased:
    folder = tmp_path_factory.mktemp("erased") / "company"
    shutil.copytree(first_night.company.folder, folder, symlinks=True)
    company = load_company(folder)
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        customer, device = connection.execute("""
            select customer_id, min(device_id) from raw.survey__responses
            inner join raw.survey__answers using (response_id)
            where answer_text is not null and customer_id in (select customer_id from raw.sales__order_lines)
              and customer_id in (select customer_id from raw.sales__customers where contact is not null)
              and device_id in (
                  select device_id from raw.survey__responses group by device_id having count(distinct customer_id) = 1
              )
            group by customer_id order by count(*) desc, customer_id limit 1
        """).fetchall()[0]
        contact = connection.execute(
            "select max(contact) from raw.sales__customers where customer_id = ?", [customer]
        ).fetchall()[0][0]
        # A text that nobody else wrote: the sample's comments repeat themselves.
        text = f"I am {customer[::-1]}, and nobody else says so"
        response = connection.execute(
            "select min(response_id) from raw.survey__responses inner join raw.survey__answers using (response_id) "
            "where customer_id = ? and answer_text is not null",
            [customer],
        ).fetchall()[0][0]
    with duckdb.connect(str(company.warehouse_path)) as connection:
        connection.execute(
            "update raw.survey__answers set answer_text = ? where response_id = ? and answer_text is not null",
            [text, response],
        )
        card, contact_hash = f"CARD-{customer[::-1]}", hashlib.sha256(contact.strip().lower().encode()).hexdigest()
        connection.execute("update raw.sales__customers set card_id = ? where customer_id = ?", [card, customer])
        connection.execute(
            "update raw.service__interactions set card_id = ?, contact_hash = ? where customer_id = ?",
            [card, contact_hash, customer],
        )
    telling = (customer, contact, device, text, card, contact_hash)
    assert telling_in(company.warehouse_path, telling) == set(telling)
    assert telling_in(first_night.files / "marts.duckdb", telling) >= {customer}
    run = run_scorecard(company, "erase", customer, "--by", "Ann Lee", "--reason", "request 17", "--json")
    return Erased(company, customer, telling, text, run, built_night)


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_one_command_erases_publishes_and_removes_the_older_releases(erased: Erased) -> None:
    assert erased.run.exit_code == 0, erased.run.output
    answer, _ = json.JSONDecoder().raw_decode(erased.run.output)
    assert (answer["erased"], answer["is_done"]) == ([erased.name], True)
    assert [folder.name for folder in (erased.company.published_dir / "releases").iterdir()] == [answer["release_id"]]


def test_no_byte_of_the_customer_is_left_in_any_file_that_is_kept(erased: Erased) -> None:
    files = [
        path
        for path in erased.company.data_dir.rglob("*")
        if path.is_file() and not path.is_symlink() and erased.company.extracts_dir not in path.parents
    ]
    assert {"warehouse.duckdb", "marts.duckdb", "incentives.duckdb", "verdict.json", "erasures.jsonl"} <= {
        path.name for path in files
    }
    found = [f"{path}: {text}" for path in files for text in erased.telling if text.encode() in path.read_bytes()]
    assert found == []
    for path in files:
        if path.suffix == ".duckdb":
            assert telling_in(path, erased.telling) == set(), path


def test_what_the_customer_bought_and_scored_is_still_there_under_the_pseudonym(erased: Erased) -> None:
    marts, before = erased.release / "marts.duckdb", erased.before / "marts.duckdb"
    for table, columns in {
        "core.order_lines": "order_id, line_no, line_amount",
        "core.survey_answers": "response_id, question_code, score, exclusion_reason",
        "value.customer_value": "clv_12m_amount, probability_alive, rfm_segment",
    }.items():
        query = f"select {columns} from {table} where customer_id = '{{}}' order by all"
        rows = ask(marts, query.format(erased.name))
        assert rows
        assert rows == ask(before, query.format(erased.customer))
    texts = ask(marts, f"select distinct answer_text from core.survey_answers where customer_id = '{erased.name}'")
    assert {text for (text,) in texts} == {None, ERASED_TEXT}


def test_every_total_is_what_it_was(erased: Erased) -> None:
    """All tables hold the same rows but for the customer's name; only topics of texts that are gone are fewer."""
    changed = set()
    for name in ("marts.duckdb", "incentives.duckdb"):
        with duckdb.connect() as connection:
            connection.execute(f"attach '{erased.before / name}' as before (read_only)")
            connection.execute(f"attach '{erased.release / name}' as after (read_only)")
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'before' and schema_name <> 'meta'"
            ).fetchall()
            for schema, table in tables:
                columns = {row[0] for row in connection.execute(f"describe before.{schema}.{table}").fetchall()}
                replaced = ", ".join(
                    f"case {key} when '{erased.customer}' then '{erased.name}' else {key} end as {key}"
                    for key in ("customer_id", "source_customer_id") if key in columns
                )  # fmt: skip
                old = f"* replace ({replaced})" if replaced else "*"
                new = "*"
                if "answer_text" in columns:
                    old, new = (f"{part} exclude (answer_text)" if part == "*" else part.replace(
                        "* replace", "* exclude (answer_text) replace") for part in (old, new))  # fmt: skip
                rows = [f"select {old} from before.{schema}.{table}", f"select {new} from after.{schema}.{table}"]
                for one, other in (rows, rows[::-1]):
                    if connection.execute(f"select count(*) from ({one} except all {other})").fetchall()[0][0]:
                        changed.add(f"{schema}.{table}")
    assert changed <= {"voice.feedback_topics"}
    texts = ask(
        erased.before / "marts.duckdb", "select count(*) from core.survey_answers where answer_text is not null"
    )
    assert texts == ask(
        erased.release / "marts.duckdb", "select count(*) from core.survey_answers where answer_text is not null"
    )


def test_an_erasure_is_noted_with_who_and_why_and_is_not_done_twice(erased: Erased) -> None:
    entry = json.loads(
        (erased.company.data_dir / "ledger" / "erasures.jsonl").read_text(encoding="utf-8").splitlines()[1]
    )
    assert (entry["by"], entry["reason"], entry["customers"]) == ("Ann Lee", "request 17", [erased.name])
    again = run_scorecard(erased.company, "erase", erased.customer, "--reason", "once more", "--json")
    assert again.exit_code == 0, again.output
    answer = json.loads(again.output)
    assert (answer["erased"], answer["erased_before"][0]["customer"]) == ([], erased.name)
