"""The way of a period: open, calculated, approved, closed, paid. Each step is one entry, decided inside its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal

from orchestration.ledger.basis import GATE, Basis, closed_table, hold_body, read_basis, sums_by_currency
from orchestration.ledger.canonical import canonical_json
from orchestration.ledger.chain import Entry
from orchestration.ledger.errors import Refused
from orchestration.ledger.frozen import Frozen, freeze, prove
from orchestration.ledger.people import named, policy_authors, same_person
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.state import APPROVED, CALCULATED, FINAL, OPEN, PAID, LedgerState, Period, fold
from orchestration.ledger.store import Ledger, open_ledger
from orchestration.lock import night_lock
from orchestration.settings import Company


@dataclass(frozen=True)
class Payment:
    """What one payee gets in one payment run. ``carried_forward`` is what they still owe after it, 0 or less."""

    employee_id: str
    currency_code: str
    statements_amount: Decimal
    adjustments_amount: Decimal
    carried_in: Decimal
    amount: Decimal
    carried_forward: Decimal


def calculate(company: Company, key: PeriodKey, by: str) -> Entry:
    """Note what the release in place pays for the period. May be repeated until the period is closed; an approval that
    was given before is void then.

    Raises:
        Refused: the gate is not green, the period is not over, or it is closed.

    """
    actor = named(by)
    basis = read_basis(company, key)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        _require(state.state_of(key) not in FINAL, f"{key} is {state.state_of(key)}: what was closed is never changed")
        _check_basis(state, basis)
        return transaction.append("period_calculated", actor, basis.fields())


def approve(company: Company, key: PeriodKey, by: str) -> Entry:
    """Approve what was calculated.

    Raises:
        Refused: it was not calculated or has changed since; the approver prepared it or wrote the policy last.

    """
    actor = named(by)
    basis = read_basis(company, key)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        period = _calculated(state, key, CALCULATED)
        _check_basis(state, basis)
        _check_unchanged(period, basis)
        check_approver(company, period, actor)
        return transaction.append(
            "period_approved", actor, basis.fields() | {"calculated_entry_hash": period.entry_hash}
        )


def close(
    company: Company,
    key: PeriodKey,
    by: str,
    keep: Callable[[Company, Basis], Frozen] = freeze,
    check: Callable[[Company, Basis, Frozen], None] = prove,
) -> Entry:
    """Close the period: its statements, lines and adjustments are kept with all they were computed from.

    Before anything is written the statements are rebuilt from what will be kept, and must come out cell by cell. ``keep``
    and ``check`` are the two halves of that.

    Raises:
        Refused: the gate is not green; the period is not approved, or has changed since; an earlier one is not closed; a
            dispute about it is open; it cannot be rebuilt.
        NightIsBusy: a night is running.

    """
    actor = named(by)
    # A night would change the warehouse that the inputs are read from.
    with night_lock(company.lock_path):
        basis = read_basis(company, key)
        with open_ledger(company) as ledger:
            _check_closing(company, fold(ledger.entries()), basis)
        frozen = keep(company, basis)
        check(company, basis, frozen)
        with open_ledger(company) as ledger, ledger.writing() as transaction:
            state = fold(ledger.entries())
            period = _check_closing(company, state, basis)
            body = basis.fields() | {
                "approved_by": period.approved_by,
                "approved_entry_hash": period.entry_hash,
                "settings": frozen.settings,
                "statements_sha256": transaction.put(basis.statements.to_bytes()),
                "statement_lines_sha256": transaction.put(basis.statement_lines.to_bytes()),
                "frozen_sha256": frozen.put(transaction.put),
                "adjustments": [
                    adjustment | {"approved_by": adjustment["approved_by"] or period.approved_by}
                    for adjustment in basis.adjustments
                ],
            }
            # What the gate doubts of single payees is closed with the rest, and not paid until a person releases it.
            for doubt in basis.doubts:
                if doubt["hold_id"] not in state.holds:
                    transaction.append("hold_placed", GATE, hold_body(doubt))
            return transaction.append("period_closed", actor, body)


def pay(company: Company, key: PeriodKey, by: str) -> tuple[Entry, list[Payment]]:
    """Note the payment run of a closed period: everybody who is not on hold and was not paid before. Who is released
    later is paid by another run of the same period.

    Raises:
        Refused: the period is not closed, or there is nobody left to pay.

    """
    actor = named(by)
    with open_ledger(company) as ledger, ledger.writing() as transaction:
        state = fold(ledger.entries())
        _require(
            state.state_of(key) in FINAL,
            f"{key} is {state.state_of(key)}: only a closed period is paid; close it first",
        )
        payments, held = payments_due(ledger, state, key)
        _require(
            bool(payments),
            f"{key}: nobody is left to pay"
            + (f"; on hold: {', '.join(payment.employee_id for payment in held)}" if held else ""),
        )
        body = {
            "period_type": key.period_type,
            "period_start": key.period_start,
            "payments_sha256": transaction.put(canonical_json([asdict(payment) for payment in payments]).encode()),
            "payment_count": len(payments),
            "held": [
                {name: getattr(payment, name) for name in ("employee_id", "currency_code", "amount")}
                for payment in held
            ],
            "receivables": [
                {name: getattr(payment, name) for name in ("employee_id", "currency_code", "carried_forward")}
                for payment in payments
                if payment.carried_in or payment.carried_forward
            ],
            "totals": sums_by_currency([asdict(payment) for payment in payments]),
        }
        return transaction.append("period_paid", actor, body), payments


def payments_due(ledger: Ledger, state: LedgerState, key: PeriodKey) -> tuple[list[Payment], list[Payment]]:
    """Who is to be paid now for a closed period, and who would be but is on hold: by employee and currency."""
    period = state.periods[key]
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for row in closed_table(ledger.content, period.closed, "statements").records():
        account = (str(row["employee_id"]), str(row["currency_code"]))
        sums.setdefault(account, [Decimal(0), Decimal(0)])[0] += Decimal(str(row["amount"]))
    for adjustment in period.closed["adjustments"]:
        account = (adjustment["employee_id"], adjustment["currency_code"])
        sums.setdefault(account, [Decimal(0), Decimal(0)])[1] += Decimal(adjustment["amount"])
    on_hold = {hold.employee_id for hold in state.holds.values() if hold.covers(key)}
    payments: list[Payment] = []
    held: list[Payment] = []
    for (employee_id, currency_code), (statements, adjustments) in sorted(sums.items()):
        if period.state == PAID and employee_id not in period.held_back:
            continue
        carried = state.receivables.get((employee_id, key.period_type, currency_code), Decimal(0))
        due = statements + adjustments + carried
        (held if employee_id in on_hold else payments).append(
            Payment(
                employee_id, currency_code, statements, adjustments, carried, max(due, Decimal(0)), min(due, Decimal(0))
            )
        )
    return payments, held


def check_approver(company: Company, period: Period, approver: str) -> None:
    """Four eyes: the approver neither prepared the period nor was the last to write its policy.

    Raises:
        Refused: they did.

    """
    _require(
        not same_person(approver, period.prepared_by),
        f"{approver} prepared {period.key} and cannot approve it; somebody else must",
    )
    for author, seed in policy_authors(company.seeds_dir, period.key.period_start, period.period_end).items():
        _require(
            not same_person(approver, author),
            f"{approver} wrote the policy last (approved_by in seeds/policy/{seed}) and cannot approve {period.key}; "
            "somebody else must",
        )


def _check_closing(company: Company, state: LedgerState, basis: Basis) -> Period:
    period = _calculated(state, basis.key, APPROVED)
    _check_basis(state, basis)
    _check_unchanged(period, basis)
    check_approver(company, period, period.approved_by or "")
    waiting = [str(key) for key in basis.earlier if state.state_of(key) not in FINAL]
    _require(not waiting, f"{basis.key}: earlier periods are not closed: {', '.join(waiting)}")
    disputes = [d for d in state.disputes.values() if d.period == basis.key and d.state == OPEN]
    _require(
        not disputes,
        f"{basis.key}: disputes are open: " + ", ".join(f"{d.dispute_id} (owner {d.owner})" for d in disputes),
    )
    return period


def _calculated(state: LedgerState, key: PeriodKey, wanted: str) -> Period:
    period, found = state.periods.get(key), state.state_of(key)
    how = {CALCULATED: "calculate it first", APPROVED: "calculate and approve it first"}[wanted]
    if period is None or found != wanted:
        settled = found in FINAL or (found == APPROVED and wanted == CALCULATED)
        raise Refused(f"{key} is {found} already" if settled else f"{key} is {found}: {how}")
    return period


def _check_basis(state: LedgerState, basis: Basis) -> None:
    """The period is over, and the release knows every adjustment that was entered for it."""
    _require(
        basis.is_complete,
        f"{basis.key} is not over: the release is as of {basis.as_of}, the period ends before {basis.period_end}",
    )
    published = {row["adjustment_id"]: Decimal(row["amount"]) for row in basis.adjustments}
    for adjustment in state.adjustments.values():
        if adjustment.posted == basis.key:
            _require(
                published.get(adjustment.adjustment_id) == adjustment.amount,
                f"{basis.key}: adjustment {adjustment.adjustment_id} is not in release {basis.release_id}; "
                "run a night first",
            )


def _check_unchanged(period: Period, basis: Basis) -> None:
    _require(
        period.basis_hash == basis.basis_hash,
        f"{period.key}: what release {basis.release_id} pays is not what {period.prepared_by} calculated from release "
        f"{period.release_id}; calculate it again",
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused(message)
