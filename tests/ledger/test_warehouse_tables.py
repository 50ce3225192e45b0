"""What the models see of the ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from orchestration.ledger.corrections import adjust, hold
from orchestration.ledger.errors import LedgerDamaged
from orchestration.ledger.store import ledger_path
from orchestration.ledger.warehouse_tables import CONTROL_TABLES, published_columns, write_ledger_tables
from tests.ledger.conftest import JUNE, MAY, Shop, close_period, statement_id


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def tables(warehouse: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    return {name: warehouse.execute(f"select * from control.{name}").fetchall() for name in CONTROL_TABLES}


def test_without_a_ledger_the_tables_are_there_and_empty(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    head = write_ledger_tables(shop.company, warehouse)
    assert head.sequence == 0
    assert set(tables(warehouse)) == set(CONTROL_TABLES)
    assert not any(tables(warehouse).values())
    assert not ledger_path(shop.company).exists()


def test_a_closed_period_is_copied_as_it_was_published(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    published = duckdb.connect(str(shop.company.published_dir / "current" / "incentives.duckdb"), read_only=True)
    expected = {
        table: published.execute(
            f"select * from incentive.{table} where statement_id like '%2026-05-01%' order by all"
        ).fetchall()
        for table in ("statements", "statement_lines")
    }
    close_period(shop.company, MAY)
    for _ in range(2):
        head = write_ledger_tables(shop.company, warehouse)
        for table, rows in expected.items():
            assert warehouse.execute(f"select * from control.ledger_{table} order by all").fetchall() == rows
    assert head.sequence == 3
    types = {
        row[0]: row[1].lower().replace(",", ", ")
        for row in warehouse.execute("describe control.ledger_statements").fetchall()
    }
    assert types == {
        name: kind.replace(",", ", ").replace(",  ", ", ") for name, kind in published_columns("statements").items()
    }
    assert warehouse.execute(
        "select period_type, period_start, state, prepared_by, approved_by, release_id, as_of from control.ledger_periods"
    ).fetchall() == [("month", date(2026, 5, 1), "closed", "Ann", "Bob", "r001", date(2026, 7, 15))]


def test_holds_and_adjustments_are_copied(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    close_period(shop.company, MAY)
    hold(shop.company, "E2", "left", "Ann")
    adjust(shop.company, statement_id("E1", MAY), "1", "-1.50", "double", "Ann", "Bob")
    write_ledger_tables(shop.company, warehouse)
    assert warehouse.execute(
        "select employee_id, period_start, reason, held_by, released_at from control.ledger_holds"
    ).fetchall() == [("E2", None, "left", "Ann", None)]
    assert warehouse.execute(
        "select employee_id, amount, line_key, posted_period_start, approved_by from control.ledger_adjustments"
    ).fetchall() == [("E1", Decimal("-1.50"), "1", date(2026, 6, 1), "Bob")]


def test_every_entry_makes_another_head_and_so_another_night(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    heads = {write_ledger_tables(shop.company, warehouse).entry_hash}
    close_period(shop.company, MAY)
    heads.add(write_ledger_tables(shop.company, warehouse).entry_hash)
    hold(shop.company, "E2", "left", "Ann")
    heads.add(write_ledger_tables(shop.company, warehouse).entry_hash)
    assert len(heads) == 3
    assert write_ledger_tables(shop.company, warehouse).entry_hash in heads


def test_a_ledger_that_lost_its_end_is_not_used(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    close_period(shop.company, MAY)
    noted = write_ledger_tables(shop.company, warehouse)
    before = tables(warehouse)
    for path in ledger_path(shop.company).parent.iterdir():
        path.unlink()
    with pytest.raises(LedgerDamaged, match="was noted elsewhere"):
        write_ledger_tables(shop.company, warehouse, noted)
    assert tables(warehouse) == before


def test_a_period_that_was_copied_is_not_copied_again_and_a_changed_table_is_written_anew(
    shop: Shop, warehouse: duckdb.DuckDBPyConnection
) -> None:
    def statements() -> list[tuple]:
        return warehouse.execute("select statement_id, amount from control.ledger_statements order by all").fetchall()

    close_period(shop.company, MAY)
    write_ledger_tables(shop.company, warehouse)
    may = statements()
    warehouse.execute("create table marked as select rowid as id, statement_id from control.ledger_statements")
    close_period(shop.company, JUNE)
    write_ledger_tables(shop.company, warehouse)
    both = statements()
    assert len(both) == 5
    assert set(may) < set(both)
    assert warehouse.execute(
        "select count(*) from control.ledger_statements as s inner join marked as m on s.rowid = m.id "
        "and s.statement_id = m.statement_id"
    ).fetchall() == [(2,)]
    warehouse.execute("alter table control.ledger_statements add column new_rule varchar")
    write_ledger_tables(shop.company, warehouse)
    assert statements() == both
    assert "new_rule" not in {row[0] for row in warehouse.execute("describe control.ledger_statements").fetchall()}
