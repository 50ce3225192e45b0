"""The store only grows, whoever writes and whenever they die."""

from __future__ import annotations

import sqlite3
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.ledger.canonical import TableText, canonical_json, create_table, read_table
from orchestration.ledger.chain import GENESIS, check_chain
from orchestration.ledger.errors import LedgerDamaged
from orchestration.ledger.store import ledger_path, open_ledger, read_noted_head
from orchestration.ledger.verify import verify_ledger
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company
from tests.ledger.conftest import run_code, was_killed

APPEND = """
import sys
from orchestration.ledger.store import open_ledger
from orchestration.settings import load_company
company, name, count = load_company(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        sha256 = transaction.put(f"content of {name} {number}".encode())
        transaction.append("hold_placed", name, {"hold_id": f"{name}{number}", "employee_id": "E1",
            "period_type": None, "period_start": None, "reason": "test", "text_sha256": sha256})
    if number == 0:
        print("written", flush=True)
"""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def append(company: Company, *names: str) -> None:
    for name in names:
        with open_ledger(company) as ledger, ledger.writing() as transaction:
            body = {"hold_id": name, "employee_id": "E1", "period_type": None, "period_start": None, "reason": "r"}
            transaction.append("hold_placed", "Ann", body | {"text_sha256": transaction.put(name.encode())})


def test_entries_are_chained_and_the_head_is_noted_outside(company: Company) -> None:
    append(company, "one", "two", "three")
    with open_ledger(company) as ledger:
        entries, head = ledger.entries(), ledger.head()
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].entry_hash, entries[1].entry_hash]
    assert head == read_noted_head(company)
    assert verify_ledger(company).entries == 3


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set actor = 'Eve' where sequence = 1",
        "delete from entries where sequence = 2",
        "insert into entries select 9, recorded_at, kind, actor, body, entry_hash, 'x' from entries where sequence = 2",
        "insert into entries select 3, recorded_at, kind, actor, body, previous_hash, 'x' from entries where sequence = 2",
        "insert or replace into entries select sequence, recorded_at, kind, 'Eve', body, previous_hash, entry_hash "
        "from entries where sequence = 2",
        "update contents set content = x'00'",
        "delete from contents",
        "insert or replace into contents select sha256, x'00' from contents",
    ],
)
def test_the_store_refuses_everything_but_the_next_entry(company: Company, statement: str) -> None:
    append(company, "one", "two")
    with sqlite3.connect(ledger_path(company)) as connection, pytest.raises(sqlite3.Error, match="append-only"):
        connection.execute(statement)
    assert verify_ledger(company).entries == 2


def test_what_fails_inside_a_transaction_leaves_nothing(company: Company) -> None:
    append(company, "one")
    with pytest.raises(RuntimeError), open_ledger(company) as ledger, ledger.writing() as transaction:
        transaction.put(b"never")
        transaction.append("hold_placed", "Ann", {"hold_id": "two"})
        raise RuntimeError
    verified = verify_ledger(company)
    assert (verified.entries, verified.contents) == (1, 1)


def test_two_processes_at_once_write_one_whole_chain(company: Company) -> None:
    processes = [run_code(APPEND, str(company.folder), name, "15") for name in ("A", "B", "C")]
    outcomes = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    assert [code for *_, code in outcomes] == [0, 0, 0], outcomes
    with open_ledger(company) as ledger:
        entries = ledger.entries()
    check_chain(entries)
    for name in "ABC":
        assert [entry.fields["hold_id"] for entry in entries if entry.actor == name] == [
            f"{name}{n}" for n in range(15)
        ]
    assert verify_ledger(company).contents == 45


def test_a_writer_killed_at_any_moment_leaves_a_whole_chain_to_go_on_with(company: Company) -> None:
    lengths = []
    for round_no in range(5):
        process = run_code(APPEND, str(company.folder), f"K{round_no}", "100000")
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        time.sleep(0.05 + 0.07 * round_no)
        process.kill()
        process.communicate()
        assert was_killed(process)
        lengths.append(verify_ledger(company).entries)
    append(company, "after")
    assert verify_ledger(company).entries == lengths[-1] + 1
    assert lengths == sorted(lengths)
    assert lengths[0] > 0


def test_the_files_are_for_their_owner_alone(company: Company) -> None:
    append(company, "one")
    assert ledger_path(company).stat().st_mode & 0o077 == 0
    assert ledger_path(company).parent.stat().st_mode & 0o077 == 0


def test_a_lost_file_is_not_taken_for_a_new_ledger(company: Company) -> None:
    append(company, "one")
    ledger_path(company).unlink()
    with pytest.raises(LedgerDamaged, match="is missing"):
        append(company, "two")


def test_canonical_json_has_one_form_and_no_floats() -> None:
    assert canonical_json({"b": Decimal("1.50"), "a": [date(2026, 1, 2), None, True, "客"]}) == (
        '{"a":["2026-01-02",null,true,"客"],"b":"1.50"}'
    )
    with pytest.raises(TypeError, match="float"):
        canonical_json({"amount": 0.1})


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.none(),
            st.decimals(min_value=-(10**9), max_value=10**9, places=2) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.dates() | st.none(),
        )
    )
)
def test_a_table_comes_back_from_its_text_cell_by_cell_whatever_the_order_of_its_rows(rows: list[tuple]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (a varchar, b decimal(18, 2), c double, d date)")
        for row in rows:
            connection.execute("insert into t values (?, ?, ?, ?)", list(row))
        content = read_table(connection, "select * from t").to_bytes()
        create_table(connection, "back", TableText.from_bytes(content))
        assert read_table(connection, "select * from back order by a desc").to_bytes() == content
        assert connection.execute("select * from t except all select * from back").fetchall() == []
        assert connection.execute("select * from back except all select * from t").fetchall() == []
