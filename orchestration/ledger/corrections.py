"""Adjustments, holds and disputes: what happens to pay beside the way of its period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb

from orchestration.ledger.basis import (
    GATE,
    closed_table,
    green_release,
    hold_body,
    placed_release,
    read_basis,
    read_doubts,
)
from orchestration.ledger.canonical import canonical_json, read_table
from orchestration.ledger.chain import Entry
from orchestration.ledger.errors import NotKnown, Refused
from orchestration.ledger.people import named, same_person
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.recompute import GROUNDS, Recomputed, recompute
from orchestration.ledger.state import FINAL, OPEN, Dispute, LedgerState, fold
from orchestration.ledger.store import Ledger, open_ledger
from orchestration.pay_file import open_file
from orchestration.settings import Company

ADJUSTMENT_TYPES = ("late_data", "clawback", "dispute", "manual")
OUTCOMES = ("upheld", "rejected", "withdrawn")


@dataclass(frozen=True)
class Statement:
    """A statement with its lines, all cells text, and where it stands: in the ledger when closed, else in the release."""

    key: PeriodKey
    is_closed: bool
    row: dict[str, Any]
    lines: list[dict[str, Any]]

    def line(self, line_key: str) -> dict[str, Any]:
        """A line by its key.

        Raises:
            NotKnown: there is none.

        """
        keys = [line_key_of(line) for line in self.lines]
        if line_key not in keys:
            raise NotKnown(f"{self.row['statement_id']} has no line {line_key!r}; its lines are {', '.join(keys)}")
        return self.lines[keys.index(line_key)]


def line_key_of(line: dict[str, Any]) -> str:
    """What names a line within its statement."""
    return str(line.get("line_key") or line["line_no"])


def find_statement(company: Company, ledger: Ledger, statement_id: str) -> Statement:
    """A statement by its id: the closed one where its period is closed.

    Raises:
        NotKnown: there is none.

    """
    for period in fold(ledger.entries()).final_periods():
        # Looked for in the text first: reading every closed period's cells would take seconds for each.
        if canonical_json(statement_id).encode("utf-8") not in ledger.content(period.closed["statements_sha256"]):
            continue
        for row in closed_table(ledger.content, period.closed, "statements").records():
            if row["statement_id"] == statement_id:
                lines = closed_table(ledger.content, period.closed, "statement_lines").records()
                return Statement(period.key, True, row, [n for n in lines if n["statement_id"] == statement_id])
    release = green_release(company)
    with open_file(release.incentives_path) as connection:
        where = "where statement_id = $1"
        found = read_table(connection, f"select * from incentive.statements {where}", [statement_id]).records()
        lines = read_table(connection, f"select * from incentive.statement_lines {where}", [statement_id]).records()
    if not found:
        raise NotKnown(f"there is no statement {statement_id!r}; `scorecard explain EMPLOYEE PERIOD` shows their ids")
    key = PeriodKey(str(found[0]["period_type"]), date.fromisoformat(str(found[0]["period_start"])))
    return Statement(key, False, found[0], lines)


def exact_amount(text: str) -> Decimal:
    """An amount in whole cents, not 0.

    Raises:
        Refused: it is not one.

    """
    try:
        amount = Decimal(text.strip())
    except InvalidOperation as error:
        raise Refused(f"{text!r} is not an amount; write it like -12.50") from error
    if not amount.is_finite() or amount == 0 or amount != amount.quantize(Decimal("0.01")) or abs(amount) >= 10**16:
        raise Refused(f"{text!r} is not an amount in whole cents other than 0")
    return amount.quantize(Decimal("0.01"))


def adjust(
    company: Company,
    statement_id: str,
    line_key: str,
    amount: str,
    reason: str,
    prepared_by: str,
    by: str,
    posted: PeriodKey | None = None,
    adjustment_type: str = "manual",
) -> Entry:
    """Correct a line of a closed statement by an amount in the payee's currency, paid in an open period (by default the
    first that is not closed). ``by`` approves what ``prepared_by`` prepared.

    Raises:
        Refused: the statement is not closed, the period is; one person does both; no reason.
        NotKnown: no such statement or line.

    """
    approver, preparer = named(by), named(prepared_by, "--prepared-by")
    if same_person(approver, preparer):
        raise Refused(f"{approver} prepared the adjustment and cannot approve it; somebody else must")
    if adjustment_type not in ADJUSTMENT_TYPES:
        raise Refused(f"{adjustment_type!r} is not one of {', '.join(ADJUSTMENT_TYPES)}")
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        body = _adjustment(
            company, ledger, state, statement_id, line_key, exact_amount(amount), _reason(reason), posted
        ) | {
            "adjustment_id": f"A{ledger.head().sequence + 1:06d}",
            "adjustment_type": adjustment_type,
            "prepared_by": preparer,
            "approved_by": approver,
        }
        return transaction.append("adjustment_entered", approver, body)


def _adjustment(
    company: Company,
    ledger: Ledger,
    state: LedgerState,
    statement_id: str,
    line_key: str,
    amount: Decimal,
    reason: str,
    posted: PeriodKey | None,
) -> dict[str, Any]:
    statement = find_statement(company, ledger, statement_id)
    if not statement.is_closed:
        raise Refused(
            f"{statement_id} is of {statement.key}, which is {state.state_of(statement.key)}: correct the data and run "
            "a night; only a closed statement is adjusted"
        )
    statement.line(line_key)
    target = posted or first_open_period(company, state, statement.key)
    if target.period_type != statement.key.period_type:
        raise Refused(f"{target} is not a {statement.key.period_type}, the statement is of one")
    if state.state_of(target) in FINAL:
        raise Refused(f"{target} is {state.state_of(target)}: an adjustment is paid in an open period")
    return {
        "statement_id": statement_id,
        "line_key": line_key,
        "employee_id": statement.row["employee_id"],
        "plan_code": statement.row["plan_code"],
        "period_type": statement.key.period_type,
        "corrected_period_start": statement.key.period_start,
        "posted_period_start": target.period_start,
        "amount": amount,
        "currency_code": statement.row["currency_code"],
        "reason": reason,
    }


def first_open_period(company: Company, state: LedgerState, after: PeriodKey) -> PeriodKey:
    """The first period of the type that is not closed.

    Raises:
        Refused: every period of the release is closed.

    """
    release = green_release(company)
    with open_file(release.incentives_path) as connection:
        rows = connection.execute(
            "select distinct period_type, period_start from incentive.statements "
            "where period_type = ? and period_start > ? order by period_start",
            [after.period_type, after.period_start],
        ).fetchall()
    for row in rows:
        if state.state_of(PeriodKey(*row)) not in FINAL:
            return PeriodKey(*row)
    raise Refused(f"there is no open {after.period_type} after {after} yet; run the night of the next one first")


def hold(company: Company, employee_id: str, reason: str, by: str, key: PeriodKey | None = None) -> Entry:
    """Keep one payee out of payment: of one period, or of all until released.

    Raises:
        Refused: no reason, or the same hold stands already.
        NotKnown: no such employee, or no such period.

    """
    actor = named(by)
    check_employee(company, employee_id)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        if key and key not in state.periods:
            read_basis(company, key)
        for known in state.holds.values():
            same = (known.period_type, known.period_start) == (
                (key.period_type, key.period_start) if key else (None, None)
            )
            if known.employee_id == employee_id and same and known.released_at is None:
                raise Refused(f"{employee_id} is on hold already: {known.hold_id}, {known.reason}")
        body = {
            "hold_id": f"H{ledger.head().sequence + 1:06d}",
            "employee_id": employee_id,
            "period_type": key.period_type if key else None,
            "period_start": key.period_start if key else None,
            "reason": _reason(reason),
        }
        return transaction.append("hold_placed", actor, body)


def release(company: Company, hold_id: str, reason: str, by: str) -> Entry:
    """End a hold. Who was left out of a payment run is paid by the next one of that period.

    Raises:
        Refused: it ended before; or who placed it would release it.
        NotKnown: no such hold.

    """
    actor = named(by)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        doubt = _doubt(company, hold_id)
        if doubt is not None and hold_id not in state.holds:
            # The gate's own holds end by themselves when their cause does; one that is released was placed first.
            transaction.append("hold_placed", GATE, hold_body(doubt))
            state = fold(ledger.entries())
        if hold_id not in state.holds:
            raise NotKnown(f"there is no hold {hold_id!r}; there are {', '.join(sorted(state.holds)) or 'none'}")
        known = state.holds[hold_id]
        if known.released_at is not None:
            raise Refused(f"{hold_id} was released by {known.released_by} already")
        return transaction.append("hold_released", actor, {"hold_id": hold_id, "reason": _reason(reason)})


def _doubt(company: Company, hold_id: str) -> dict[str, Any] | None:
    """A hold that the gate placed in the release in place, by its key."""
    if not hold_id.startswith(f"{GATE}:"):
        return None
    with open_file(placed_release(company).incentives_path) as connection:
        return next((doubt for doubt in read_doubts(connection) if doubt["hold_id"] == hold_id), None)


def check_employee(company: Company, employee_id: str) -> None:
    """Whether the release in place knows the employee.

    Raises:
        NotKnown: it does not; the message names ids that look alike.

    """
    with duckdb.connect(str(placed_release(company).marts_path), read_only=True) as connection:
        known = {row[0] for row in connection.execute("select employee_id from core.employees").fetchall()}
    if employee_id not in known:
        import difflib

        alike = difflib.get_close_matches(employee_id, sorted(known), n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(alike)}?" if alike else ""
        raise NotKnown(f"there is no employee {employee_id!r}{hint}")


def open_dispute(
    company: Company,
    statement_id: str,
    ground: str,
    text: str,
    owner: str,
    due_at: date,
    by: str,
    line_key: str | None = None,
    step: Callable[[Company, Statement, str | None, str], Recomputed] = recompute,
) -> tuple[Entry, Recomputed]:
    """Open a dispute on one of the closed grounds. The very step that the ground doubts is computed again at once; what
    came out stands in the entry.

    Raises:
        Refused: an unknown ground, no text or owner.
        NotKnown: no such statement or line.

    """
    actor, responsible = named(by), named(owner, "--owner")
    if ground not in GROUNDS:
        raise Refused(f"{ground!r} is not a ground of dispute; the grounds are {', '.join(GROUNDS)}")
    reason = _reason(text)
    with open_ledger(company) as ledger:
        statement = find_statement(company, ledger, statement_id)
    if line_key is not None:
        statement.line(line_key)
    found = step(company, statement, line_key, ground)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        body = {
            "dispute_id": f"D{ledger.head().sequence + 1:06d}",
            "statement_id": statement_id,
            "line_key": line_key,
            "employee_id": statement.row["employee_id"],
            "period_type": statement.key.period_type,
            "period_start": statement.key.period_start,
            "ground": ground,
            "text": reason,
            "owner": responsible,
            "due_at": due_at,
            "recomputed": found.fields(),
        }
        return transaction.append("dispute_opened", actor, body), found


def assign_dispute(company: Company, dispute_id: str, owner: str, due_at: date, by: str) -> Entry:
    """Give an open dispute another owner or date.

    Raises:
        Refused: it is resolved.
        NotKnown: no such dispute.

    """
    actor, responsible = named(by), named(owner, "--owner")
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        _open_dispute(fold(ledger.entries()), dispute_id)
        body = {"dispute_id": dispute_id, "owner": responsible, "due_at": due_at}
        return transaction.append("dispute_assigned", actor, body)


def resolve_dispute(
    company: Company,
    dispute_id: str,
    outcome: str,
    reason: str,
    by: str,
    amount: str | None = None,
    posted: PeriodKey | None = None,
    step: Callable[[Company, Statement, str | None, str], Recomputed] = recompute,
) -> tuple[Entry, Recomputed]:
    """Resolve a dispute; the step is computed once more. Upheld on a closed statement it may carry an amount, which
    becomes an adjustment in the same transaction; on an open one the data is corrected and the night computes it.

    Raises:
        Refused: it is resolved, the outcome is unknown, the payee would decide, or the amount has no place.
        NotKnown: no such dispute.

    """
    actor = named(by)
    if outcome not in OUTCOMES:
        raise Refused(f"{outcome!r} is not an outcome; the outcomes are {', '.join(OUTCOMES)}")
    if amount is not None and outcome != "upheld":
        raise Refused(f"a dispute that is {outcome} changes no amount")
    with open_ledger(company) as ledger:
        dispute = _open_dispute(fold(ledger.entries()), dispute_id)
        statement = find_statement(company, ledger, dispute.statement_id)
    concerned = same_person(actor, dispute.employee_id) or same_person(actor, dispute.opened_by)
    if concerned and outcome != "withdrawn":
        raise Refused(f"{dispute_id} concerns {actor}, who cannot decide it; somebody else must, or it is withdrawn")
    found = step(company, statement, dispute.line_key, dispute.ground)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        _open_dispute(state, dispute_id)
        adjustment_id = None
        if amount is not None:
            if dispute.line_key is None:
                raise Refused(f"{dispute_id} is about a whole statement; open one about the line that is adjusted")
            adjustment_id = f"A{ledger.head().sequence + 1:06d}"
            fields = _adjustment(
                company, ledger, state, dispute.statement_id, dispute.line_key, exact_amount(amount), _reason(reason),
                posted,
            ) | {
                "adjustment_id": adjustment_id,
                "adjustment_type": "dispute",
                "prepared_by": dispute.opened_by,
                "approved_by": actor,
            }  # fmt: skip
            transaction.append("adjustment_entered", actor, fields)
        body = {
            "dispute_id": dispute_id,
            "outcome": outcome,
            "reason": _reason(reason),
            "adjustment_id": adjustment_id,
            "recomputed": found.fields(),
        }
        return transaction.append("dispute_resolved", actor, body), found


def _open_dispute(state: LedgerState, dispute_id: str) -> Dispute:
    if dispute_id not in state.disputes:
        raise NotKnown(f"there is no dispute {dispute_id!r}; there are {', '.join(sorted(state.disputes)) or 'none'}")
    dispute = state.disputes[dispute_id]
    if dispute.state != OPEN:
        raise Refused(f"{dispute_id} was resolved by {dispute.resolved_by} already: {dispute.outcome}")
    return dispute


def _reason(text: str) -> str:
    cleaned = " ".join(text.split())
    if not cleaned:
        raise Refused("a reason is needed: who reads the ledger later must understand why")
    return cleaned
