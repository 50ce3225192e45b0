"""Copies the ledger's state into the warehouse, schema ``control``, where the models read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb
import yaml

from orchestration.ledger.basis import closed_table
from orchestration.ledger.canonical import insert_rows
from orchestration.ledger.chain import Entry, Head, check_chain
from orchestration.ledger.state import LedgerState, fold
from orchestration.ledger.store import has_ledger, open_ledger, read_noted_head
from orchestration.settings import PROJECT_DIR, Company
from orchestration.sql_text import quoted

_PERIOD = {"period_type": "varchar", "period_start": "date"}
_COLUMNS: dict[str, dict[str, str]] = {
    "ledger_periods": {
        **_PERIOD, "period_end": "date", "state": "varchar", "prepared_by": "varchar", "approved_by": "varchar",
        "closed_by": "varchar", "calculated_at": "timestamp", "approved_at": "timestamp", "closed_at": "timestamp",
        "paid_at": "timestamp", "release_id": "varchar", "as_of": "date", "inputs_hash": "varchar",
        "policy_hash": "varchar", "entry_hash": "varchar",
    },
    "ledger_adjustments": {
        "adjustment_id": "varchar", "statement_id": "varchar", "line_key": "varchar", "employee_id": "varchar",
        "plan_code": "varchar", "period_type": "varchar", "corrected_period_start": "date",
        "posted_period_start": "date", "adjustment_type": "varchar", "amount": "decimal(18, 2)",
        "currency_code": "varchar", "reason": "varchar", "approved_by": "varchar", "recorded_at": "timestamp",
    },
    "ledger_holds": {
        "hold_id": "varchar", "employee_id": "varchar", **_PERIOD, "reason": "varchar", "held_by": "varchar",
        "held_at": "timestamp", "released_by": "varchar", "released_at": "timestamp",
    },
    "ledger_disputes": {
        "dispute_id": "varchar", "statement_id": "varchar", "line_key": "varchar", "employee_id": "varchar",
        "ground": "varchar", "opened_by": "varchar", "opened_at": "timestamp", "owner": "varchar", "due_at": "date",
        "state": "varchar", "outcome": "varchar", "resolved_by": "varchar", "resolved_at": "timestamp",
        "adjustment_id": "varchar",
    },
}  # fmt: skip
CONTROL_TABLES = (*_COLUMNS, "ledger_statements", "ledger_statement_lines")


def write_ledger_tables(
    company: Company,
    connection: duckdb.DuckDBPyConnection,
    noted: Head | None = None,
    until: datetime | None = None,
) -> Head:
    """Replace the control tables by the ledger's state, all of them or none; returns the head they were written at.

    ``noted`` is the head that the release in place was built on: a ledger that lost its end since is not used. ``until``
    (UTC) leaves out what was entered later, for a past night.

    Raises:
        LedgerDamaged: the chain is broken.

    """
    if not has_ledger(company):
        check_chain([], noted, read_noted_head(company))
        _write(connection, fold([]), lambda _: b"")
        return Head()
    with open_ledger(company) as ledger:
        entries = ledger.entries()
        check_chain(entries, noted, read_noted_head(company))
        if until is not None:
            entries = [entry for entry in entries if _recorded_at(entry) <= until]
        _write(connection, fold(entries), ledger.content)
        return Head(len(entries), entries[-1].entry_hash) if entries else Head()


def _recorded_at(entry: Entry) -> datetime:
    moment = datetime.fromisoformat(entry.recorded_at)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _write(connection: duckdb.DuckDBPyConnection, state: LedgerState, read: Callable[[str], bytes]) -> None:
    connection.execute("begin")
    try:
        connection.execute("create schema if not exists control")
        write_tables(connection, state, read)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def write_tables(connection: duckdb.DuckDBPyConnection, state: LedgerState, read: Callable[[str], bytes]) -> None:
    """Create the control tables from a state; ``read`` gives kept content by its hash."""
    rows: dict[str, list[dict[str, Any]]] = {
        "ledger_periods": [_fields(period, period.key) for period in state.periods.values()],
        "ledger_adjustments": [_fields(adjustment) for adjustment in state.adjustments.values()],
        "ledger_holds": [_fields(hold) for hold in state.holds.values()],
        "ledger_disputes": [_fields(dispute) for dispute in state.disputes.values()],
    }
    for table, columns in _COLUMNS.items():
        _create(connection, table, columns)
        for row in rows[table]:
            marks = ", ".join("?" for _ in columns)
            connection.execute(f"insert into control.{table} values ({marks})", [row[name] for name in columns])
    for table in ("statements", "statement_lines"):
        _copy_closed(connection, table, state, read)


def _copy_closed(
    connection: duckdb.DuckDBPyConnection, table: str, state: LedgerState, read: Callable[[str], bytes]
) -> None:
    """Make ``control.ledger_<table>`` the closed rows. What was closed does not change, so a period that was copied under
    the same hash stays where it is; the table is written anew when its columns or its periods are not what they were.
    """
    columns = published_columns(table)
    target, book = f"control.ledger_{table}", f"control.ledger_{table}_copied"
    wanted = {str(period.closed[f"{table}_sha256"]): period for period in state.final_periods()}
    copied: set[str] = set()
    expected = [(name, kind.replace(" ", "").lower()) for name, kind in columns.items()]
    if _described(connection, f"ledger_{table}_copied") and _described(connection, f"ledger_{table}") == expected:
        copied = {row[0] for row in connection.execute(f"select sha256 from {book}").fetchall()}
    if not copied or not copied <= wanted.keys():
        copied = set()
        _create(connection, f"ledger_{table}", columns)
        _create(connection, f"ledger_{table}_copied", {"sha256": "varchar"})
    for sha256, period in wanted.items():
        if sha256 not in copied:
            insert_rows(connection, target, closed_table(read, period.closed, table), only=columns)
            connection.execute(f"insert into {book} values (?)", [sha256])


def _described(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Names and types of a control table's columns, types without spaces; empty when it is not there."""
    rows = connection.execute(
        "select column_name, lower(data_type) from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'control' and table_name = ? order by column_index",
        [table],
    ).fetchall()
    return [(name, kind) for name, kind in rows]


def _create(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> None:
    definition = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace table control.{table} ({definition})")


def _fields(item: Any, key: Any = None) -> dict[str, Any]:
    return dict(vars(item)) | (dict(vars(key)) if key else {})


@cache
def published_columns(table: str) -> dict[str, str]:
    """Columns and types of a published incentive table, by its contract."""
    path = PROJECT_DIR / "models" / "marts" / "incentive" / "_incentive__models.yml"
    models = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    model = next(model for model in models if model["name"] == table)
    return {column["name"]: column["data_type"] for column in model["columns"]}
