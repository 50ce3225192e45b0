"""What the entries come to: the state of every period, hold, dispute and adjustment. Only entries are stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestration.ledger.chain import Entry
from orchestration.ledger.periods import PeriodKey

OPEN, CALCULATED, APPROVED, CLOSED, PAID = "open", "calculated", "approved", "closed", "paid"
FINAL = (CLOSED, PAID)


@dataclass(frozen=True)
class Period:
    """A period that was at least calculated once; one that was not is open. ``closed`` is the body of its closing;
    ``held_back`` is who the last payment run left out.
    """

    key: PeriodKey
    period_end: date
    state: str
    basis_hash: str
    release_id: str
    as_of: date
    inputs_hash: str
    policy_hash: str
    entry_hash: str
    prepared_by: str
    calculated_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    paid_at: datetime | None = None
    closed: dict[str, Any] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hold:
    """One payee is not paid: for one period, or until released."""

    hold_id: str
    employee_id: str
    period_type: str | None
    period_start: date | None
    reason: str
    held_by: str
    held_at: datetime
    released_by: str | None = None
    released_at: datetime | None = None
    release_reason: str | None = None

    def covers(self, key: PeriodKey) -> bool:
        """Whether it keeps its payee out of this period's payment now."""
        if self.released_at is not None:
            return False
        return self.period_start is None or (self.period_type, self.period_start) == (key.period_type, key.period_start)


@dataclass(frozen=True)
class Dispute:
    """A doubt about one line (or a whole statement), on one of the closed grounds."""

    dispute_id: str
    statement_id: str
    line_key: str | None
    employee_id: str
    period: PeriodKey
    ground: str
    text: str
    opened_by: str
    opened_at: datetime
    owner: str
    due_at: date
    state: str = OPEN
    outcome: str | None = None
    resolution: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    adjustment_id: str | None = None


@dataclass(frozen=True)
class Adjustment:
    """An amount that corrects a line of a closed statement, paid in a later period."""

    adjustment_id: str
    statement_id: str
    line_key: str | None
    employee_id: str
    plan_code: str
    period_type: str
    corrected_period_start: date
    posted_period_start: date
    adjustment_type: str
    amount: Decimal
    currency_code: str
    reason: str
    approved_by: str
    recorded_at: datetime

    @property
    def posted(self) -> PeriodKey:
        """The period it is paid in."""
        return PeriodKey(self.period_type, self.posted_period_start)


@dataclass
class LedgerState:
    """Everything, by its key."""

    periods: dict[PeriodKey, Period] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    adjustments: dict[str, Adjustment] = field(default_factory=dict)
    # What was taken back and could not be set off yet, 0 or less, per employee, period type and currency.
    receivables: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)

    def state_of(self, key: PeriodKey) -> str:
        """State of a period; open unless an entry says otherwise."""
        period = self.periods.get(key)
        return period.state if period else OPEN

    def final_periods(self) -> list[Period]:
        """Closed and paid periods in order."""
        return sorted((p for p in self.periods.values() if p.state in FINAL), key=lambda period: period.key)


def fold(entries: Iterable[Entry]) -> LedgerState:
    """The state after all entries."""
    state = LedgerState()
    for entry in entries:
        _APPLY[entry.kind](state, entry, entry.fields, datetime.fromisoformat(entry.recorded_at))
    return state


def _key(body: dict[str, Any]) -> PeriodKey:
    return PeriodKey(body["period_type"], date.fromisoformat(body["period_start"]))


def _calculated(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    state.periods[_key(body)] = Period(
        key=_key(body),
        period_end=date.fromisoformat(body["period_end"]),
        state=CALCULATED,
        basis_hash=body["basis_hash"],
        release_id=body["release_id"],
        as_of=date.fromisoformat(body["as_of"]),
        inputs_hash=body["inputs_hash"],
        policy_hash=body["policy_hash"],
        entry_hash=entry.entry_hash,
        prepared_by=entry.actor,
        calculated_at=at,
    )


def _approved(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    key = _key(body)
    state.periods[key] = replace(
        state.periods[key], state=APPROVED, approved_by=entry.actor, approved_at=at, entry_hash=entry.entry_hash
    )


def _closed(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    key = _key(body)
    state.periods[key] = replace(
        state.periods[key],
        state=CLOSED,
        release_id=body["release_id"],
        as_of=date.fromisoformat(body["as_of"]),
        inputs_hash=body["inputs_hash"],
        policy_hash=body["policy_hash"],
        entry_hash=entry.entry_hash,
        closed_by=entry.actor,
        closed_at=at,
        closed=body,
    )
    for fields in body["adjustments"]:
        adjustment = adjustment_of(fields, at)
        state.adjustments.setdefault(adjustment.adjustment_id, adjustment)


def _paid(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    key = _key(body)
    period = state.periods[key]
    state.periods[key] = replace(
        period,
        state=PAID,
        paid_at=period.paid_at or at,
        entry_hash=entry.entry_hash,
        held_back=frozenset(payment["employee_id"] for payment in body["held"]),
    )
    for account in body["receivables"]:
        name = (account["employee_id"], key.period_type, account["currency_code"])
        state.receivables[name] = Decimal(account["carried_forward"])


def _adjusted(state: LedgerState, _: Entry, body: dict[str, Any], at: datetime) -> None:
    adjustment = adjustment_of(body, at)
    state.adjustments[adjustment.adjustment_id] = adjustment


def adjustment_of(fields: dict[str, Any], at: datetime) -> Adjustment:
    """An adjustment from an entry's fields."""
    return Adjustment(
        adjustment_id=fields["adjustment_id"],
        statement_id=fields["statement_id"],
        line_key=fields["line_key"],
        employee_id=fields["employee_id"],
        plan_code=fields["plan_code"],
        period_type=fields["period_type"],
        corrected_period_start=date.fromisoformat(fields["corrected_period_start"]),
        posted_period_start=date.fromisoformat(fields["posted_period_start"]),
        adjustment_type=fields["adjustment_type"],
        amount=Decimal(fields["amount"]),
        currency_code=fields["currency_code"],
        reason=fields["reason"],
        approved_by=fields["approved_by"],
        recorded_at=at,
    )


def _held(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    start = body["period_start"]
    state.holds[body["hold_id"]] = Hold(
        hold_id=body["hold_id"],
        employee_id=body["employee_id"],
        period_type=body["period_type"],
        period_start=date.fromisoformat(start) if start else None,
        reason=body["reason"],
        held_by=entry.actor,
        held_at=at,
    )


def _released(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    hold = state.holds[body["hold_id"]]
    state.holds[hold.hold_id] = replace(hold, released_by=entry.actor, released_at=at, release_reason=body["reason"])


def _disputed(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    state.disputes[body["dispute_id"]] = Dispute(
        dispute_id=body["dispute_id"],
        statement_id=body["statement_id"],
        line_key=body["line_key"],
        employee_id=body["employee_id"],
        period=_key(body),
        ground=body["ground"],
        text=body["text"],
        opened_by=entry.actor,
        opened_at=at,
        owner=body["owner"],
        due_at=date.fromisoformat(body["due_at"]),
    )


def _assigned(state: LedgerState, _: Entry, body: dict[str, Any], __: datetime) -> None:
    dispute = state.disputes[body["dispute_id"]]
    state.disputes[dispute.dispute_id] = replace(
        dispute, owner=body["owner"], due_at=date.fromisoformat(body["due_at"])
    )


def _resolved(state: LedgerState, entry: Entry, body: dict[str, Any], at: datetime) -> None:
    dispute = state.disputes[body["dispute_id"]]
    state.disputes[dispute.dispute_id] = replace(
        dispute,
        state="resolved",
        outcome=body["outcome"],
        resolution=body["reason"],
        resolved_by=entry.actor,
        resolved_at=at,
        adjustment_id=body["adjustment_id"],
    )


_APPLY = {
    "period_calculated": _calculated,
    "period_approved": _approved,
    "period_closed": _closed,
    "period_paid": _paid,
    "adjustment_entered": _adjusted,
    "hold_placed": _held,
    "hold_released": _released,
    "dispute_opened": _disputed,
    "dispute_assigned": _assigned,
    "dispute_resolved": _resolved,
}
