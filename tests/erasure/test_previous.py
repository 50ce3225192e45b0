"""While the release in place still names an erased customer, everybody who reads it is told the pseudonym."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.erasure.previous import renamed_relation
from orchestration.erasure.register import (
    Erasures,
    key_for_erasing,
    note_done,
    note_erasure,
    pseudonym,
    read_erasures,
)
from orchestration.settings import PROJECT_DIR, Company
from orchestration.value import published
from tests.conftest import copy_company
from tests.publishing.test_publish import sealed


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def erased(company: Company, customer: str) -> str:
    key = key_for_erasing(company)
    note_erasure(company, key, [pseudonym(key, customer)], [], "ann", "asked")
    return pseudonym(key, customer)


def customers_by(erasures: Erasures, table: str = "t") -> list[str]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as release")
        connection.execute("create schema release.value")
        connection.execute(
            "create table release.value.t as select unnest(['C1', 'C2', 'it''s']) as customer_id, 1 as n"
        )
        connection.execute("create table release.value.u as select 'C1' as somebody")
        relation = renamed_relation(connection, erasures, "release", f"value.{table}")
        return [row[0] for row in connection.execute(f"select * from {relation} order by all").fetchall()]


def test_erased_customers_are_renamed_and_nobody_else(company: Company) -> None:
    assert customers_by(read_erasures(company)) == ["C1", "C2", "it's"]
    one, other = erased(company, "C1"), erased(company, "it's")
    assert customers_by(read_erasures(company)) == sorted(["C2", one, other])
    assert customers_by(read_erasures(company), "u") == ["C1"]


def test_a_release_from_after_the_erasure_is_read_as_it_is(company: Company) -> None:
    name = erased(company, "C1")
    note_done(company, [name], "r2")
    erasures = read_erasures(company)
    assert (erasures.pending, erasures.customers) == ((), {name})
    assert customers_by(erasures) == ["C1", "C2", "it's"]


def test_a_list_that_was_drawn_goes_on_with_the_pseudonym(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = sealed(company, "a")
    with duckdb.connect(str(candidate.marts_path)) as connection:
        connection.execute("create schema value")
        connection.execute(f"create table value.early_actions ({published._TABLES['early_actions'][1]})")
        connection.execute(
            "insert into value.early_actions (action_month, customer_id, action_group) "
            "values (date '2026-06-01', 'C1', 'act'), (date '2026-06-01', 'C2', 'hold_out')"
        )

    class InPlace:
        marts_path = candidate.marts_path

    monkeypatch.setattr(published, "current_release", lambda _: InPlace())
    name = erased(company, "C1")
    with duckdb.connect() as warehouse:
        warehouse.execute("create schema control")
        published.keep_published_value(warehouse, company)
        rows = warehouse.execute(
            "select customer_id, action_group from control.published_early_actions order by action_group"
        ).fetchall()
    assert rows == [(name, "act"), ("C2", "hold_out")]
