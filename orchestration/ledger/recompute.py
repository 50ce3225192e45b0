"""The grounds of a dispute, each tied to one step of the computation, and that step computed again.

The outcome is evidence, not a verdict: what the line says, what comes out now, and from how many rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.ledger.basis import closed_table, green_release, read_basis
from orchestration.ledger.frozen import differences, freeze, read_frozen, rebuild
from orchestration.ledger.source_rows import source_rows
from orchestration.ledger.state import fold
from orchestration.ledger.store import open_ledger
from orchestration.settings import Company

if TYPE_CHECKING:
    from orchestration.ledger.corrections import Statement


@dataclass(frozen=True)
class Recomputed:
    """One step computed again. ``agrees`` is None where there is nothing to compare with."""

    step: str
    stated: str
    found: str
    agrees: bool | None
    release_id: str | None
    notes: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """As an entry keeps it."""
        return {
            "step": self.step, "stated": self.stated, "found": self.found, "agrees": self.agrees,
            "release_id": self.release_id, "notes": list(self.notes),
        }  # fmt: skip


_Step = Callable[[duckdb.DuckDBPyConnection, "Statement", list[dict[str, Any]]], tuple[str, str, str, list[str]]]


def _period(statement: Statement) -> tuple[date, date]:
    return (
        date.fromisoformat(statement.row["period_start"]),
        date.fromisoformat(statement.row["period_end"]),
    )


def _measured(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["measure_code"] and line["measured_entity_id"]]


def _rows_counted(
    connection: duckdb.DuckDBPyConnection, statement: Statement, lines: list[dict[str, Any]]
) -> tuple[str, str, str, list[str]]:
    """Observations of each line against the rows credited to it now."""
    stated, found, notes = [], [], []
    for line in _measured(lines):
        if line["n"] is None:
            continue
        rows = connection.execute(
            "select n, excluded_count from kpi.kpi_results where measure_code = ? and level = ? and entity_id = ? "
            "and period_type = ? and period_start = ?",
            [
                line["measure_code"], line["measured_level"], line["measured_entity_id"],
                statement.key.period_type, statement.key.period_start,
            ],
        ).fetchall()  # fmt: skip
        n, excluded = rows[0] if rows else (0, 0)
        stated.append(f"{line['measure_code']} n={line['n']}")
        found.append(f"{line['measure_code']} n={n}")
        behind = source_rows(
            connection, line["measure_code"], line["measured_level"], line["measured_entity_id"], *_period(statement), 0
        )
        notes.append(
            f"{line['measure_code']}: {behind.counted} rows of {behind.table} counted, {behind.excluded} excluded; "
            f"{excluded or 0} excluded in the result"
        )
    return "rows counted", ", ".join(stated), ", ".join(found), notes


def _credits(
    connection: duckdb.DuckDBPyConnection, statement: Statement, lines: list[dict[str, Any]]
) -> tuple[str, str, str, list[str]]:
    """Every sale and answer of the employee in the period: the store and department of that day's assignment."""
    notes, checked, wrong = [], 0, 0
    for table, day in (("core.order_lines", "ordered_on"), ("core.survey_responses", "interaction_on")):
        total, differing = connection.execute(
            f"""
            select count(*), count(*) filter (
                where events.uncredited_reason is null
                and events.department_code is distinct from assignments.department_code
            )
            from {table} as events
            left join core.employee_assignments as assignments
                on events.employee_id = assignments.employee_id and events.{day} >= assignments.valid_from
                and (assignments.valid_to is null or events.{day} < assignments.valid_to)
            where events.employee_id = ? and events.{day} >= ? and events.{day} < ?
            """,
            [statement.row["employee_id"], *_period(statement)],
        ).fetchall()[0]
        notes.append(f"{table}: {total} rows of the employee, {differing} credited elsewhere than assigned")
        checked, wrong = checked + total, wrong + differing
    return (
        "credit of each event",
        "0 credited elsewhere than assigned",
        f"{wrong} credited elsewhere than assigned",
        notes,
    )


def _assignment(
    connection: duckdb.DuckDBPyConnection, statement: Statement, lines: list[dict[str, Any]]
) -> tuple[str, str, str, list[str]]:
    """Days of the part from the assignment history."""
    row = statement.row
    found = connection.execute(
        """
        select coalesce(sum(
            least(coalesce(valid_to, date '9999-12-31'), cast($2 as date)) - greatest(valid_from, cast($1 as date))
        ), 0)
        from core.employee_assignments
        where employee_id = $3 and job_role = $4 and store_id is not distinct from $5 and department_code = $6
            and valid_from < cast($2 as date) and coalesce(valid_to, date '9999-12-31') > cast($1 as date)
        """,
        [
            row["part_start"], row["part_end"], row["employee_id"], row["job_role"], row["store_id"],
            row["department_code"],
        ],
    ).fetchall()[0][0]  # fmt: skip
    where = f"{row['job_role']} at {row['store_id'] or row['department_code']}"
    return "days of the part", f"{row['part_days']} days as {where}", f"{found} days as {where}", []


def _values(
    connection: duckdb.DuckDBPyConnection, statement: Statement, lines: list[dict[str, Any]]
) -> tuple[str, str, str, list[str]]:
    """Value and n of each line against the result computed by the release in place."""
    stated, found = [], []
    for line in _measured(lines):
        rows = connection.execute(
            "select value, n from kpi.kpi_results where measure_code = ? and level = ? and entity_id = ? "
            "and period_type = ? and period_start = ?",
            [
                line["measure_code"], line["measured_level"], line["measured_entity_id"],
                statement.key.period_type, statement.key.period_start,
            ],
        ).fetchall()  # fmt: skip
        value, n = rows[0] if rows else (None, None)
        stated.append(_value_text(line["measure_code"], line["value"], line["n"]))
        found.append(_value_text(line["measure_code"], value, n))
    return "value of each measure", ", ".join(stated), ", ".join(found), []


def _value_text(measure_code: str, value: Any, n: Any) -> str:
    shown = "none" if value is None else f"{Decimal(str(value)).normalize():f}"
    return f"{measure_code}={shown} (n={'none' if n is None else n})"


_STEPS: dict[str, _Step] = {
    "missing_transaction": _rows_counted,
    "wrong_credit": _credits,
    "wrong_assignment": _assignment,
    "measure_computed_wrongly": _values,
    "excluded_response": _rows_counted,
}
_PLAN_GROUND = "plan_applied_wrongly"
GROUNDS = (*_STEPS, _PLAN_GROUND)


def recompute(company: Company, statement: Statement, line_key: str | None, ground: str) -> Recomputed:
    """Compute the step that the ground doubts again, for one line or for all of the statement."""
    if ground == _PLAN_GROUND:
        return _plan(company, statement)
    lines = statement.lines if line_key is None else [statement.line(line_key)]
    release = green_release(company)
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        step, stated, found, notes = _STEPS[ground](connection, statement, lines)
    return Recomputed(step, stated, found, stated == found if stated else None, release.release_id, tuple(notes))


def _plan(company: Company, statement: Statement) -> Recomputed:
    """From results to pay once more, by the plan, curve, gate and modifiers in force: a closed statement from what the
    ledger kept, an open one from the warehouse.
    """
    if statement.is_closed:
        with open_ledger(company) as ledger:
            period = fold(ledger.entries()).periods[statement.key]
            frozen, as_of, release_id = read_frozen(ledger.content, period.closed), period.as_of, period.release_id
            before = closed_table(ledger.content, period.closed, "statements")
    else:
        basis = read_basis(company, statement.key)
        frozen, as_of, release_id, before = freeze(company, basis), basis.as_of, basis.release_id, basis.statements
    after = rebuild(company, frozen, statement.key, as_of)["statements"]
    statement_id = statement.row["statement_id"]
    amounts = [row["amount"] for row in after.records() if row["statement_id"] == statement_id]
    notes = [text for text in differences("statements", before, after) if f" {statement_id}" in text]
    return Recomputed(
        "from results to pay",
        str(statement.row["amount"]),
        str(amounts[0]) if amounts else "no statement",
        not notes and amounts == [statement.row["amount"]],
        release_id,
        tuple(notes),
    )
