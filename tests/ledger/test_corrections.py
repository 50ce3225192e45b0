"""Adjustments, holds and disputes: who may, on what, and what stays in the ledger."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.ledger.corrections import (
    adjust,
    assign_dispute,
    hold,
    open_dispute,
    release,
    resolve_dispute,
)
from orchestration.ledger.errors import LedgerError
from orchestration.ledger.recompute import GROUNDS, Recomputed
from orchestration.ledger.state import LedgerState, fold
from orchestration.ledger.store import open_ledger
from orchestration.ledger.verify import verify_ledger
from tests.ledger.conftest import JULY, JUNE, MAY, Shop, close_period, statement_id

DUE = date(2026, 7, 31)


def found(*_: object) -> Recomputed:
    return Recomputed("value", "csat=0.8", "csat=0.7", False, "r001", ("12 rows",))


def state_of(shop: Shop) -> LedgerState:
    with open_ledger(shop.company) as ledger:
        return fold(ledger.entries())


@pytest.fixture
def closed(shop: Shop) -> Shop:
    close_period(shop.company, MAY)
    return shop


def test_an_adjustment_names_the_closed_line_and_goes_to_the_first_open_period(closed: Shop) -> None:
    adjust(closed.company, statement_id("E1", MAY), "1", "-12.5", "double count", "Ann", "Bob")
    (adjustment,) = state_of(closed).adjustments.values()
    assert (adjustment.statement_id, adjustment.line_key) == (statement_id("E1", MAY), "1")
    assert (str(adjustment.amount), adjustment.currency_code) == ("-12.50", "CNY")
    assert (adjustment.corrected_period_start, adjustment.posted_period_start) == (MAY.period_start, JUNE.period_start)
    assert (adjustment.approved_by, adjustment.adjustment_type) == ("Bob", "manual")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statement_id": "nobody|x|2026-05-01|1"}, "there is no statement 'nobody"),
        ({"statement_id": statement_id("E1", JUNE)}, "only a closed statement is adjusted"),
        ({"line_key": "77"}, "has no line '77'; its lines are 1, 2"),
        ({"amount": "1.005"}, "not an amount in whole cents"),
        ({"amount": "0"}, "other than 0"),
        ({"amount": "NaN"}, "not an amount"),
        ({"amount": "ten"}, "not an amount"),
        ({"reason": " "}, "a reason is needed"),
        ({"by": "ann"}, "prepared the adjustment and cannot approve it"),
        ({"by": ""}, "A name is needed"),
        ({"posted": MAY}, "is closed: an adjustment is paid in an open period"),
        ({"adjustment_type": "gift"}, "'gift' is not one of"),
    ],
)
def test_an_adjustment_that_is_not_right_is_refused(closed: Shop, change: dict, message: str) -> None:
    arguments = {
        "statement_id": statement_id("E1", MAY), "line_key": "1", "amount": "5", "reason": "r", "prepared_by": "Ann",
        "by": "Bob",
    } | change  # fmt: skip
    before = verify_ledger(closed.company).entries
    with pytest.raises(LedgerError, match=message):
        adjust(closed.company, **arguments)
    assert verify_ledger(closed.company).entries == before


def test_a_hold_is_placed_once_and_released_once_with_reasons(shop: Shop) -> None:
    hold_id = hold(shop.company, "E1", "bank account unclear", "Ann").fields["hold_id"]
    with pytest.raises(LedgerError, match=f"on hold already: {hold_id}, bank account unclear"):
        hold(shop.company, "E1", "again", "Bob")
    release(shop.company, hold_id, "account confirmed", "Bob")
    placed = state_of(shop).holds[hold_id]
    assert (placed.held_by, placed.reason, placed.released_by, placed.release_reason) == (
        "Ann",
        "bank account unclear",
        "Bob",
        "account confirmed",
    )
    with pytest.raises(LedgerError, match="was released by Bob already"):
        release(shop.company, hold_id, "again", "Bob")
    with pytest.raises(LedgerError, match="no hold 'H999'"):
        release(shop.company, "H999", "r", "Bob")


@pytest.mark.parametrize(
    ("employee", "message"), [("E99", "no employee 'E99'; did you mean E9"), ("", "no employee ''")]
)
def test_nobody_unknown_is_held(shop: Shop, employee: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        hold(shop.company, employee, "r", "Ann")


def test_the_grounds_of_a_dispute_are_closed(shop: Shop) -> None:
    assert set(GROUNDS) == {
        "missing_transaction", "wrong_credit", "wrong_assignment", "measure_computed_wrongly", "excluded_response",
        "plan_applied_wrongly",
    }  # fmt: skip
    with pytest.raises(LedgerError, match="'unfair' is not a ground of dispute"):
        open_dispute(shop.company, statement_id("E1", MAY), "unfair", "t", "Ola", DUE, "E1", step=found)


def test_a_dispute_has_an_owner_dates_an_outcome_and_what_was_recomputed(closed: Shop) -> None:
    entry, _ = open_dispute(
        closed.company, statement_id("E1", MAY), "measure_computed_wrongly", "csat was 0.8", "Ola", DUE, "E1", "1",
        step=found,
    )  # fmt: skip
    dispute_id = entry.fields["dispute_id"]
    assert entry.fields["recomputed"]["found"] == "csat=0.7"
    assign_dispute(closed.company, dispute_id, "Per", date(2026, 8, 15), "Ola")
    resolved, _ = resolve_dispute(closed.company, dispute_id, "upheld", "12 rows late", "Per", "7.25", step=found)
    state = state_of(closed)
    dispute = state.disputes[dispute_id]
    assert (dispute.owner, dispute.due_at, dispute.state, dispute.outcome) == (
        "Per",
        date(2026, 8, 15),
        "resolved",
        "upheld",
    )
    adjustment = state.adjustments[resolved.fields["adjustment_id"]]
    assert (str(adjustment.amount), adjustment.adjustment_type, adjustment.line_key) == ("7.25", "dispute", "1")
    assert adjustment.posted_period_start == JUNE.period_start
    with pytest.raises(LedgerError, match="was resolved by Per already: upheld"):
        resolve_dispute(closed.company, dispute_id, "rejected", "r", "Per", step=found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "e1"}, "D000004 concerns e1, who cannot decide it"),
        ({"outcome": "maybe"}, "'maybe' is not an outcome"),
        ({"outcome": "rejected", "amount": "5"}, "a dispute that is rejected changes no amount"),
        ({"dispute_id": "D9"}, "no dispute 'D9'; there are D000004"),
        ({"amount": "5"}, "about a whole statement"),
        ({"reason": ""}, "a reason is needed"),
    ],
)
def test_a_resolution_that_is_not_right_is_refused_whole(closed: Shop, change: dict, message: str) -> None:
    open_dispute(closed.company, statement_id("E1", MAY), "wrong_credit", "t", "Ola", DUE, "E1", step=found)
    arguments = {"dispute_id": "D000004", "outcome": "upheld", "reason": "r", "by": "Ola"} | change
    before = verify_ledger(closed.company).entries
    with pytest.raises(LedgerError, match=message):
        resolve_dispute(closed.company, **arguments, step=found)
    assert verify_ledger(closed.company).entries == before


def test_a_dispute_of_an_open_period_changes_no_amount_but_the_data_does(shop: Shop) -> None:
    entry, _ = open_dispute(
        shop.company, statement_id("E1", JULY), "missing_transaction", "t", "Ola", DUE, "E1", "1", step=found
    )
    with pytest.raises(LedgerError, match="correct the data and run a night"):
        resolve_dispute(shop.company, entry.fields["dispute_id"], "upheld", "r", "Ola", "5", step=found)
    resolve_dispute(shop.company, entry.fields["dispute_id"], "upheld", "delivered now", "Ola", step=found)


def test_who_opened_a_dispute_may_withdraw_it(shop: Shop) -> None:
    entry, _ = open_dispute(shop.company, statement_id("E1", MAY), "wrong_credit", "t", "Ola", DUE, "E1", step=found)
    resolve_dispute(shop.company, entry.fields["dispute_id"], "withdrawn", "my mistake", "E1", step=found)
    assert state_of(shop).disputes[entry.fields["dispute_id"]].outcome == "withdrawn"
