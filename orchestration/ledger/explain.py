"""A statement as a person reads it: what was measured, what it earned, what rules gave or took, what was corrected."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import duckdb

from orchestration.ledger.basis import closed_table, placed_release, read_basis
from orchestration.ledger.corrections import check_employee, line_key_of
from orchestration.ledger.errors import NotKnown
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.source_rows import SourceRows, source_rows
from orchestration.ledger.state import LedgerState, fold
from orchestration.ledger.store import has_ledger, open_ledger
from orchestration.settings import Company

Language = Literal["en", "zh"]


@dataclass
class ExplainedLine:
    """One line. ``rows`` is filled on request."""

    line_key: str
    line_type: str
    name: str
    cells: dict[str, Any]
    rows: SourceRows | None = None


@dataclass
class ExplainedStatement:
    """One statement: an employee's part of a period under a plan."""

    statement_id: str
    plan_name: str
    cells: dict[str, Any]
    lines: list[ExplainedLine] = field(default_factory=list)


@dataclass
class Explained:
    """All statements of an employee in a period, the corrections posted in it, and where the period stands."""

    employee_id: str
    key: PeriodKey
    state: str
    release_id: str
    as_of: date
    prepared_by: str | None
    approved_by: str | None
    statements: list[ExplainedStatement]
    adjustments: list[dict[str, Any]]
    holds: list[dict[str, Any]]
    disputes: list[dict[str, Any]]
    totals: dict[str, str]

    def fields(self) -> dict[str, Any]:
        """For ``--json``; amounts are text."""
        return {
            "employee_id": self.employee_id,
            "period_type": self.key.period_type,
            "period_start": self.key.period_start,
            "state": self.state,
            "release_id": self.release_id,
            "as_of": self.as_of,
            "prepared_by": self.prepared_by,
            "approved_by": self.approved_by,
            "statements": [
                statement.cells
                | {
                    "plan_name": statement.plan_name,
                    "lines": [
                        line.cells
                        | {"line_key": line.line_key, "name": line.name}
                        | ({"source": vars(line.rows)} if line.rows else {})
                        for line in statement.lines
                    ],
                }
                for statement in self.statements
            ],
            "adjustments": self.adjustments,
            "holds": self.holds,
            "disputes": self.disputes,
            "totals": self.totals,
        }


def explain(company: Company, employee_id: str, key: PeriodKey, language: Language = "en", rows: int = 0) -> Explained:
    """Explain what an employee is paid for a period: from the ledger once it is closed, from the release before.
    ``rows`` is how many source rows to show behind each line.

    Raises:
        NotKnown: no such employee or period, or no statement of this employee in it.
        Refused: nothing is published.

    """
    check_employee(company, employee_id)
    basis = read_basis(company, key, placed_release(company))
    statements, lines, adjustments = basis.statements.records(), basis.statement_lines.records(), basis.adjustments
    names = _names((company.seeds_dir / "policy" / "measures.csv").read_text(encoding="utf-8-sig"), "measure", language)
    plans = _names((company.seeds_dir / "policy" / "incentive_plans.csv").read_text("utf-8-sig"), "plan", language)
    state, period, as_of, release_id = LedgerState(), None, basis.as_of, basis.release_id
    if has_ledger(company):
        with open_ledger(company) as ledger:
            state = fold(ledger.entries())
            period = state.periods.get(key)
            if period and period.closed:
                statements = closed_table(ledger.content, period.closed, "statements").records()
                lines = closed_table(ledger.content, period.closed, "statement_lines").records()
                adjustments = tuple(period.closed["adjustments"])
                as_of, release_id = period.as_of, period.release_id
    own = sorted(
        (row for row in statements if row["employee_id"] == employee_id), key=lambda row: str(row["statement_id"])
    )
    if not own:
        others = sorted({str(row["employee_id"]) for row in statements})
        raise NotKnown(
            f"{employee_id} has no statement of {key}: no plan governed any of their days in it "
            f"({len(others)} people have one)"
        )
    explained = [
        ExplainedStatement(
            str(row["statement_id"]),
            _name(plans, str(row["plan_code"]), row),
            row,
            [
                ExplainedLine(line_key_of(line), str(line["line_type"]), _line_name(names, line, row, language), line)
                for line in sorted(lines, key=lambda line: int(str(line["line_no"])))
                if line["statement_id"] == row["statement_id"]
            ],
        )
        for row in own
    ]
    if rows:
        _add_rows(company, explained, rows)
    posted = [dict(row) for row in adjustments if row["employee_id"] == employee_id]
    return Explained(
        employee_id=employee_id,
        key=key,
        state=state.state_of(key),
        release_id=release_id,
        as_of=as_of,
        prepared_by=period.prepared_by if period else None,
        approved_by=period.approved_by if period else None,
        statements=explained,
        adjustments=posted,
        holds=[
            {"hold_id": hold.hold_id, "reason": hold.reason, "held_by": hold.held_by}
            for hold in state.holds.values()
            if hold.employee_id == employee_id and hold.covers(key)
        ],
        disputes=[
            {
                name: getattr(dispute, name)
                for name in ("dispute_id", "statement_id", "line_key", "ground", "owner", "due_at", "state", "outcome")
            }
            for dispute in state.disputes.values()
            if dispute.employee_id == employee_id and dispute.period == key
        ],
        totals=_totals([*own, *posted]),
    )


def _totals(rows: list[dict[str, Any]]) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for row in rows:
        code = str(row["currency_code"])
        totals[code] = totals.get(code, Decimal(0)) + Decimal(str(row["amount"]))
    return {code: f"{total:f}" for code, total in sorted(totals.items())}


def _names(text: str, what: str, language: Language) -> list[dict[str, str]]:
    """Names by code with the dates they govern, from a seed's text."""
    return [
        {
            "code": row[f"{what}_code"],
            "name": row[f"name_{language}"] or row[f"{what}_code"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_to"] or "9999-12-31",
        }
        for row in csv.DictReader(io.StringIO(text))
    ]


def _name(names: list[dict[str, str]], code: str, statement: dict[str, Any]) -> str:
    """The name in force on the first day of the period, else any, else the code."""
    day = str(statement["period_start"])
    known = [row for row in names if row["code"] == code]
    in_force = [row for row in known if row["valid_from"] <= day < row["valid_to"]]
    return (in_force or known or [{"name": code}])[0]["name"]


_RULES: dict[str, dict[Language, str]] = {
    "commission": {"en": "Commission", "zh": "佣金"},
    "unscored": {"en": "Without a score", "zh": "无评分"},
    "gate": {"en": "Gate", "zh": "门槛"},
    "modifier": {"en": "Modifier", "zh": "调节系数"},
    "cap": {"en": "Cap", "zh": "封顶"},
}


def _line_name(names: list[dict[str, str]], line: dict[str, Any], row: dict[str, Any], language: Language) -> str:
    measure = _name(names, str(line["measure_code"]), row) if line["measure_code"] else ""
    rule = _RULES.get(str(line["line_type"]), {}).get(language, "" if measure else str(line["line_type"]))
    return f"{rule}: {measure}" if rule and measure else rule or measure


def _add_rows(company: Company, statements: list[ExplainedStatement], most: int) -> None:
    release = placed_release(company)
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        for statement in statements:
            for line in statement.lines:
                cells = line.cells
                if not cells["measure_code"] or not cells["measured_entity_id"]:
                    continue
                # A commission follows the days of the part, a measure those of the whole period.
                whole = line.line_type != "commission"
                line.rows = source_rows(
                    connection,
                    str(cells["measure_code"]),
                    str(cells["measured_level"]),
                    str(cells["measured_entity_id"]),
                    date.fromisoformat(statement.cells["period_start" if whole else "part_start"]),
                    date.fromisoformat(statement.cells["period_end" if whole else "part_end"]),
                    most,
                )
