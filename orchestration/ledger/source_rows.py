"""The rows behind a line of a statement, from the marts of the release in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from orchestration.ledger.canonical import read_table

# Where the events of a measure are published, the day that puts them into a period, and what a person looks at. Every
# measure that is answered is in the answers under its own code; one that is in none of these leads to its result.
_EVENTS: dict[str, tuple[str, str, str]] = {
    "revenue": ("core.order_lines", "ordered_on", "order_id, line_no, ordered_on, product_id, quantity, line_amount"),
    "order_count": ("core.order_lines", "ordered_on", "order_id, line_no, ordered_on, product_id, quantity, line_amount"),
    "repurchase_rate": ("core.orders", "ordered_on", "order_id, ordered_on, customer_id, order_amount"),
    "return_rate": ("core.returns", "returned_on", "return_id, order_id, line_no, returned_on, quantity, refund_amount"),
    "response_rate": (
        "core.survey_responses", "submitted_on",
        "response_id, invitation_id, survey_code, submitted_on, touchpoint_code",
    ),
}  # fmt: skip
_ANSWERS = ("core.survey_answers", "submitted_on", "response_id, question_code, submitted_on, touchpoint_code, score")
_CREDIT = ("employee_id", "store_id", "department_code", "region")
# The column that credits an event to an entity of a level. Whatever else is measured (teams, journeys) is made of other
# results and leads to its own.
_LEVELS = {
    "store": "store_id", "department": "department_code", "region": "region", "employee": "employee_id",
    "touchpoint": "touchpoint_code",
}  # fmt: skip


@dataclass(frozen=True)
class SourceRows:
    """``rows`` holds at most what was asked for; the counts are of all."""

    table: str
    counted: int
    excluded: int
    rows: list[dict[str, Any]]


def source_rows(
    connection: duckdb.DuckDBPyConnection,
    measure_code: str,
    level: str,
    entity_id: str,
    start: date,
    end: date,
    most: int,
) -> SourceRows:
    """Rows credited to the entity in ``[start, end)``, the ones that were excluded with their reason."""
    answered = connection.execute(
        "select 1 from core.survey_answers where measure_code = ? limit 1", [measure_code]
    ).fetchall()
    table, day, columns = _EVENTS.get(measure_code, _ANSWERS)
    known = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
    credited = _LEVELS.get(level)
    if not (measure_code in _EVENTS or answered) or not (level == "company" or credited in known):
        return _result(connection, measure_code, level, entity_id, start)
    condition = f"{day} >= $1 and {day} < $2"
    values: list[Any] = [start, end]
    if table == _ANSWERS[0]:
        condition, values = f"{condition} and measure_code = $3", [*values, measure_code]
    if level != "company":
        condition, values = f"{condition} and {credited} = ${len(values) + 1}", [*values, entity_id]
    excluded_by = "exclusion_reason" if "exclusion_reason" in known else "cast(null as varchar)"
    counted, excluded = connection.execute(
        f"select count(*) filter (where {excluded_by} is null), count({excluded_by}) from {table} where {condition}",
        values,
    ).fetchall()[0]
    order = ", ".join(columns.split(", ")[:2])
    query = (
        f"select {columns}, {', '.join(_CREDIT)}, {excluded_by} as exclusion_reason from {table} where {condition} "
        f"order by {day}, {order} limit {most}"
    )
    return SourceRows(table, counted, excluded, read_table(connection, query, values).records())


def _result(
    connection: duckdb.DuckDBPyConnection, measure_code: str, level: str, entity_id: str, start: date
) -> SourceRows:
    table = read_table(
        connection,
        "select measure_code, level, entity_id, period_type, period_start, numerator, denominator, n, origin "
        "from kpi.kpi_results where measure_code = $1 and level = $2 and entity_id = $3 and period_start = $4 "
        "and period_type != 'day' order by period_type",
        [measure_code, level, entity_id, start],
    )
    return SourceRows("kpi.kpi_results", len(table.rows), 0, table.records())
