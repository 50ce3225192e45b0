"""The way of a period: every step, and every reason not to take it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from orchestration.ledger import operations
from orchestration.ledger.basis import closed_table
from orchestration.ledger.corrections import adjust, hold, open_dispute, release, resolve_dispute
from orchestration.ledger.errors import LedgerError, NotKnown, Refused
from orchestration.ledger.periods import PeriodKey, parse_period
from orchestration.ledger.recompute import Recomputed
from orchestration.ledger.state import LedgerState, fold
from orchestration.ledger.store import has_ledger, open_ledger
from orchestration.ledger.verify import verify_ledger
from orchestration.lock import NightIsBusy
from tests.ledger.conftest import JULY, JUNE, MAY, Shop, believe, close_period, keep_little, run_code, statement_id
from tests.orchestration.test_lock import holder


def state_of(shop: Shop) -> LedgerState:
    if not has_ledger(shop.company):
        return LedgerState()
    with open_ledger(shop.company) as ledger:
        return fold(ledger.entries())


def close(shop: Shop, key: PeriodKey) -> None:
    operations.close(shop.company, key, "Cem", keep_little, believe)


def refused(shop: Shop, message: str, act) -> None:
    """The act is refused with the message and writes nothing."""
    before = verify_ledger(shop.company).entries
    with pytest.raises(LedgerError, match=message):
        act()
    assert verify_ledger(shop.company).entries == before


def test_a_period_goes_from_open_to_paid_and_every_step_names_who_took_it(shop: Shop) -> None:
    company = shop.company
    states = [state_of(shop).state_of(MAY)]
    operations.calculate(company, MAY, "Ann")
    states.append(state_of(shop).state_of(MAY))
    operations.approve(company, MAY, "Bob")
    states.append(state_of(shop).state_of(MAY))
    close(shop, MAY)
    states.append(state_of(shop).state_of(MAY))
    _, payments = operations.pay(company, MAY, "Dee")
    period = state_of(shop).periods[MAY]
    assert [*states, period.state] == ["open", "calculated", "approved", "closed", "paid"]
    assert (period.prepared_by, period.approved_by, period.closed_by) == ("Ann", "Bob", "Cem")
    assert (period.release_id, period.as_of, period.inputs_hash) == ("r001", date(2026, 7, 15), "inputs1")
    assert [(p.employee_id, p.amount, p.currency_code) for p in payments] == [
        ("E1", Decimal("100.00"), "CNY"),
        ("E2", Decimal("50.50"), "CNY"),
    ]


def test_steps_are_taken_in_order_and_once(shop: Shop) -> None:
    company = shop.company
    refused(shop, "is open: calculate it first", lambda: operations.approve(company, MAY, "Bob"))
    refused(shop, "is open: calculate and approve it first", lambda: close(shop, MAY))
    refused(shop, "only a closed period is paid", lambda: operations.pay(company, MAY, "Dee"))
    operations.calculate(company, MAY, "Ann")
    refused(shop, "is calculated: calculate and approve it first", lambda: close(shop, MAY))
    operations.approve(company, MAY, "Bob")
    refused(shop, "is approved already", lambda: operations.approve(company, MAY, "Bob"))
    close(shop, MAY)
    refused(shop, "is closed already", lambda: close(shop, MAY))
    refused(shop, "what was closed is never changed", lambda: operations.calculate(company, MAY, "Ann"))
    operations.pay(company, MAY, "Dee")
    refused(shop, "nobody is left to pay", lambda: operations.pay(company, MAY, "Dee"))


@pytest.mark.parametrize("approver", ["Ann", "  ANN ", "ａｎｎ"])
def test_nobody_approves_what_they_prepared(shop: Shop, approver: str) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    refused(shop, "prepared month:2026-05-01", lambda: operations.approve(shop.company, MAY, approver))


def test_the_last_author_of_the_policy_does_not_approve_and_an_earlier_one_may(shop: Shop) -> None:
    path = shop.company.seeds_dir / "policy" / "plan_modifiers.csv"
    path.write_text(
        path.read_text(encoding="utf-8").splitlines()[0]
        + "\nm1,sales_month,store,S001,1.1,2026-01-01,2026-03-01,Old Author,r"
        + "\nm2,sales_month,store,S002,1.1,2026-02-01,,First Author,r"
        + "\nm3,sales_month,store,S003,1.1,2026-04-01,,Kim Lee; Lou,r"
        + "\nm4,sales_month,store,S003,1.1,2026-09-01,,Future Author,r\n",
        encoding="utf-8",
    )
    operations.calculate(shop.company, MAY, "Ann")
    for author in ("kim lee", "Lou", "board"):
        refused(shop, "wrote the policy last", lambda name=author: operations.approve(shop.company, MAY, name))
    operations.approve(shop.company, MAY, "First Author")


def test_a_name_is_needed(shop: Shop) -> None:
    refused(shop, "A name is needed", lambda: operations.calculate(shop.company, MAY, "  "))


def test_a_period_that_is_not_over_is_not_calculated(shop: Shop) -> None:
    refused(shop, "is not over", lambda: operations.calculate(shop.company, JULY, "Ann"))


def test_a_period_without_statements_names_those_that_have_some(shop: Shop) -> None:
    key = parse_period("2031-01")
    refused(
        shop, "no statement of month:2031-01-01.*month:2026-05-01", lambda: operations.calculate(shop.company, key, "A")
    )


def test_earlier_periods_are_closed_first(shop: Shop) -> None:
    operations.calculate(shop.company, JUNE, "Ann")
    operations.approve(shop.company, JUNE, "Bob")
    refused(shop, "earlier periods are not closed: month:2026-05-01", lambda: close(shop, JUNE))
    close_period(shop.company, MAY)
    close(shop, JUNE)


def test_a_red_gate_closes_nothing(shop: Shop) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    shop.publish(red=True)
    refused(shop, "the gate is not green", lambda: close(shop, MAY))


def test_a_release_that_is_not_what_was_checked_closes_nothing(shop: Shop) -> None:
    path = shop.company.published_dir / "current" / "incentives.duckdb"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    refused(shop, "not what was checked", lambda: operations.calculate(shop.company, MAY, "Ann"))


def test_an_approval_is_void_when_the_pay_changed_and_stands_when_it_did_not(shop: Shop) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    shop.amounts[JUNE]["E1"] = "111.00"
    shop.publish()
    shop.amounts[MAY]["E1"] = "100.01"
    shop.publish()
    refused(shop, "not what Ann calculated from release r001; calculate it again", lambda: close(shop, MAY))
    shop.amounts[MAY]["E1"] = "100.00"
    shop.publish()
    close(shop, MAY)


def test_a_new_calculation_voids_the_approval(shop: Shop) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    operations.calculate(shop.company, MAY, "Bob")
    refused(shop, "is calculated", lambda: close(shop, MAY))
    refused(shop, "Bob prepared", lambda: operations.approve(shop.company, MAY, "Bob"))


def test_an_open_dispute_keeps_its_period_open(shop: Shop) -> None:
    found = Recomputed("value", "1", "1", True, "r001")
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    open_dispute(
        shop.company, statement_id("E1", MAY), "wrong_credit", "the sale of the 3rd", "Ola", date(2026, 7, 31), "E1",
        step=lambda *_: found,
    )  # fmt: skip
    refused(shop, r"disputes are open: D000003 \(owner Ola\)", lambda: close(shop, MAY))
    resolve_dispute(shop.company, "D000003", "rejected", "credited right", "Ola", step=lambda *_: found)
    close(shop, MAY)


def test_nothing_closes_while_a_night_runs(shop: Shop) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    process = holder(shop.company.lock_path)
    try:
        with pytest.raises(NightIsBusy):
            close(shop, MAY)
    finally:
        process.kill()
        process.wait()
    close(shop, MAY)


def test_what_cannot_be_rebuilt_is_not_closed(shop: Shop) -> None:
    def differs(*_: object) -> None:
        raise Refused("cannot be closed: rebuilding it gives other statements")

    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    refused(shop, "rebuilding it gives other", lambda: operations.close(shop.company, MAY, "Cem", keep_little, differs))
    assert state_of(shop).state_of(MAY) == "approved"


def test_a_closed_statement_stays_as_it_was_closed(shop: Shop) -> None:
    close_period(shop.company, MAY)
    shop.amounts[MAY]["E1"] = "999.99"
    shop.publish()
    with open_ledger(shop.company) as ledger:
        closed = fold(ledger.entries()).periods[MAY].closed
        rows = closed_table(ledger.content, closed, "statements").records()
        lines = closed_table(ledger.content, closed, "statement_lines").records()
    assert {row["employee_id"]: row["amount"] for row in rows} == {"E1": "100.00", "E2": "50.50"}
    assert len(lines) == 4
    assert closed["totals"] == {"CNY": "150.50"}


def test_a_payee_on_hold_is_left_out_and_paid_once_released(shop: Shop) -> None:
    close_period(shop.company, MAY)
    held = hold(shop.company, "E1", "bank account unclear", "Ann", MAY).fields["hold_id"]
    entry, payments = operations.pay(shop.company, MAY, "Dee")
    assert [payment.employee_id for payment in payments] == ["E2"]
    assert entry.fields["held"] == [{"employee_id": "E1", "currency_code": "CNY", "amount": "100.00"}]
    refused(shop, "on hold: E1", lambda: operations.pay(shop.company, MAY, "Dee"))
    release(shop.company, held, "account confirmed", "Bob")
    _, later = operations.pay(shop.company, MAY, "Dee")
    assert [(payment.employee_id, payment.amount) for payment in later] == [("E1", Decimal("100.00"))]
    refused(shop, "nobody is left to pay", lambda: operations.pay(shop.company, MAY, "Dee"))


def test_a_hold_of_one_period_does_not_touch_another(shop: Shop) -> None:
    hold(shop.company, "E1", "only May", "Ann", MAY)
    close_period(shop.company, MAY)
    close_period(shop.company, JUNE)
    _, payments = operations.pay(shop.company, JUNE, "Dee")
    assert [payment.employee_id for payment in payments] == ["E1", "E2", "E3"]


def test_whom_the_gate_doubts_is_closed_with_the_rest_and_paid_once_a_person_releases_the_doubt(shop: Shop) -> None:
    shop.doubted = {"E1": MAY}
    shop.publish()
    close_period(shop.company, MAY)
    entry, payments = operations.pay(shop.company, MAY, "Dee")
    assert [payment.employee_id for payment in payments] == ["E2"]
    assert entry.fields["held"] == [{"employee_id": "E1", "currency_code": "CNY", "amount": "100.00"}]
    # The next night does not doubt what is closed; the hold is the ledger's by now.
    shop.doubted = {}
    shop.publish()
    refused(shop, "on hold: E1", lambda: operations.pay(shop.company, MAY, "Dee"))
    release(shop.company, "gate:E1", "the contract says so", "Bob")
    _, later = operations.pay(shop.company, MAY, "Dee")
    assert [payment.employee_id for payment in later] == ["E1"]


def test_a_doubt_released_before_the_close_holds_nobody(shop: Shop) -> None:
    shop.doubted = {"E1": MAY}
    shop.publish()
    with pytest.raises(NotKnown, match="there is no hold 'gate:E7'"):
        release(shop.company, "gate:E7", "wrong key", "Bob")
    release(shop.company, "gate:E1", "the contract says so", "Bob")
    with open_ledger(shop.company) as ledger:
        assert [(entry.kind, entry.actor) for entry in ledger.entries()] == [
            ("hold_placed", "gate"),
            ("hold_released", "Bob"),
        ]
    close_period(shop.company, MAY)
    _, payments = operations.pay(shop.company, MAY, "Dee")
    assert [payment.employee_id for payment in payments] == ["E1", "E2"]


def publish_adjustment(shop: Shop, amount: str, employee: str = "E2", key: PeriodKey = JUNE) -> None:
    shop.adjustments.append(
        {
            "adjustment_id": f"late-{employee}-{amount}", "statement_id": statement_id(employee, MAY), "line_key": "1",
            "employee_id": employee, "plan_code": "sales_month", "period_type": "month",
            "corrected_period_start": MAY.period_start, "posted_period_start": key.period_start,
            "adjustment_type": "clawback", "amount": amount, "currency_code": "CNY", "reason": "returned",
            "approved_by": None,
        }
    )  # fmt: skip
    shop.publish()


def test_more_taken_back_than_earned_is_carried_until_it_is_set_off(shop: Shop) -> None:
    """E2 earns 0.00 in June and gives back 30.00; July's 20.00 leaves 10.00 to be set off later."""
    close_period(shop.company, MAY)
    publish_adjustment(shop, "-30.00")
    close_period(shop.company, JUNE)
    entry, payments = operations.pay(shop.company, JUNE, "Dee")
    june = {payment.employee_id: payment for payment in payments}
    assert (june["E2"].amount, june["E2"].carried_forward) == (Decimal(0), Decimal("-30.00"))
    assert entry.fields["totals"] == {"CNY": "117.77"}
    shop.amounts[JULY]["E2"] = "20.00"
    shop.as_of = date(2026, 8, 15)
    shop.publish()
    close_period(shop.company, JULY)
    _, payments = operations.pay(shop.company, JULY, "Dee")
    july = {payment.employee_id: payment for payment in payments}
    assert (july["E2"].carried_in, july["E2"].amount, july["E2"].carried_forward) == (
        Decimal("-30.00"),
        Decimal(0),
        Decimal("-10.00"),
    )


def test_proposed_corrections_are_frozen_with_the_period_they_are_posted_in(shop: Shop) -> None:
    close_period(shop.company, MAY)
    publish_adjustment(shop, "-5.00", "E1")
    close_period(shop.company, JUNE)
    frozen = state_of(shop).adjustments["late-E1--5.00"]
    assert (frozen.amount, frozen.statement_id, frozen.approved_by) == (
        Decimal("-5.00"),
        statement_id("E1", MAY),
        "Bob",
    )
    _, payments = operations.pay(shop.company, JUNE, "Dee")
    assert {p.employee_id: p.amount for p in payments}["E1"] == Decimal("105.00")


def test_an_adjustment_that_no_night_has_seen_yet_keeps_its_period_open(shop: Shop) -> None:
    close_period(shop.company, MAY)
    entry = adjust(shop.company, statement_id("E1", MAY), "1", "3.00", "till was down", "Ann", "Bob")
    adjustment_id = entry.fields["adjustment_id"]
    refused(
        shop,
        f"{adjustment_id} is not in release r001; run a night",
        lambda: operations.calculate(shop.company, JUNE, "A"),
    )
    columns = ("adjustment_id", "statement_id", "line_key", "employee_id", "plan_code", "period_type",
               "corrected_period_start", "posted_period_start", "adjustment_type", "amount", "currency_code", "reason",
               "approved_by")  # fmt: skip
    shop.adjustments.append({name: entry.fields[name] for name in columns})
    shop.publish()
    close_period(shop.company, JUNE)
    _, payments = operations.pay(shop.company, JUNE, "Dee")
    assert {p.employee_id: p.amount for p in payments}["E1"] == Decimal("113.00")


def test_payments_are_kept_to_the_cent(shop: Shop) -> None:
    close_period(shop.company, MAY)
    entry, _ = operations.pay(shop.company, MAY, "Dee")
    with open_ledger(shop.company) as ledger:
        kept = json.loads(ledger.content(entry.fields["payments_sha256"]))
    assert [(payment["employee_id"], payment["amount"]) for payment in kept] == [("E1", "100.00"), ("E2", "50.50")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2026-06", PeriodKey("month", date(2026, 6, 1))),
        ("2026-Q2", PeriodKey("quarter", date(2026, 4, 1))),
        ("quarter:2010-12-29", PeriodKey("quarter", date(2010, 12, 29))),
    ],
)
def test_periods_are_written_as_people_write_them(text: str, key: PeriodKey) -> None:
    assert parse_period(text) == key


@pytest.mark.parametrize("text", ["2026-13", "2026", "june", "month:2026-02-30", "2026-Q5", ""])
def test_what_is_no_period_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotKnown, match="is not a period"):
        parse_period(text)


PAY = """
import sys
from orchestration.ledger import operations
from orchestration.ledger.errors import Refused
from orchestration.ledger.periods import parse_period
from orchestration.settings import load_company
company = load_company(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    operations.pay(company, parse_period("2026-05"), sys.argv[2])
    print("paid", flush=True)
except Refused:
    print("refused", flush=True)
"""


def test_of_processes_that_pay_at_once_one_pays(shop: Shop) -> None:
    close_period(shop.company, MAY)
    processes = [run_code(PAY, str(shop.company.folder), name) for name in ("Dee", "Eli", "Fay")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=120)[0].strip() for process in processes)
    assert said == ["paid", "refused", "refused"]
    assert verify_ledger(shop.company).entries == 4
