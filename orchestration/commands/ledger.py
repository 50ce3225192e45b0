"""Commands of the ledger: the way of a period, corrections, verification, and the statement explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.table import Table

from orchestration.commands.common import (
    EXIT_FAILED,
    CompanyOption,
    answer,
    choose,
    console,
    stop,
    with_json,
)
from orchestration.ledger.chain import Entry
from orchestration.ledger.errors import LedgerError
from orchestration.ledger.periods import parse_period
from orchestration.settings import Company, load_company

PeriodArgument = Annotated[str, typer.Argument(help="2026-06, 2026-Q2, or month:2026-06-01, quarter:2026-04-01.")]
ByOption = Annotated[str, typer.Option("--by", help="Name of the person who does this; it stays in the ledger.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays in the ledger.")]
InOption = Annotated[
    str | None, typer.Option("--in", help="Open period to pay it in; default: the first that is not closed.")
]
DueOption = Annotated[datetime, typer.Option("--due", formats=["%Y-%m-%d"], help="Day it must be resolved by.")]

disputes = typer.Typer(help="Doubts about a line, on closed grounds, with an owner, dates and an outcome.")


@contextmanager
def _company(company: CompanyOption) -> Iterator[Company]:
    choose(company)
    try:
        yield load_company()
    except LedgerError as error:
        stop(str(error), EXIT_FAILED)


def _say(entry: Entry, text: str) -> None:
    answer(sequence=entry.sequence, entry_hash=entry.entry_hash, **entry.fields)
    console.print(
        f"{text}  (entry {entry.sequence}, {entry.entry_hash[:12]})", markup=False, highlight=False, soft_wrap=True
    )


def calculate(period: PeriodArgument, by: ByOption, company: CompanyOption = None) -> None:
    """Note what the release in place pays for a period that is over: the preparer's step."""
    with _company(company) as chosen:
        from orchestration.ledger import operations

        entry = operations.calculate(chosen, parse_period(period), by)
        totals = ", ".join(f"{total} {code}" for code, total in entry.fields["totals"].items())
        _say(entry, f"{period} calculated: {entry.fields['statement_count']} statements, {totals}")


def approve(period: PeriodArgument, by: ByOption, company: CompanyOption = None) -> None:
    """Approve what was calculated: not by the preparer, not by the last author of the policy."""
    with _company(company) as chosen:
        from orchestration.ledger import operations

        _say(operations.approve(chosen, parse_period(period), by), f"{period} approved")


def close(period: PeriodArgument, by: ByOption, company: CompanyOption = None) -> None:
    """Close an approved period: rebuild its statements from what will be kept, and keep them for good."""
    with _company(company) as chosen:
        from orchestration.ledger import operations

        _say(operations.close(chosen, parse_period(period), by), f"{period} closed")


def pay(period: PeriodArgument, by: ByOption, company: CompanyOption = None) -> None:
    """Note the payment run of a closed period: everybody not on hold and not paid before."""
    with _company(company) as chosen:
        from orchestration.ledger import operations

        entry, payments = operations.pay(chosen, parse_period(period), by)
        totals = ", ".join(f"{total} {code}" for code, total in entry.fields["totals"].items())
        _say(entry, f"{period} paid: {len(payments)} people, {totals}")
        for payment in entry.fields["held"]:
            console.print(
                f"  {payment['employee_id']} is on hold: {payment['amount']} {payment['currency_code']} not paid",
                highlight=False,
            )
        for account in entry.fields["receivables"]:
            console.print(
                f"  {account['employee_id']} still owes {account['carried_forward']} {account['currency_code']}",
                highlight=False,
            )


def adjust(
    statement_id: Annotated[str, typer.Argument(help="The closed statement, as `explain` shows it.")],
    line: Annotated[str, typer.Argument(help="The line it corrects, as `explain` shows it.")],
    amount: Annotated[str, typer.Argument(help="In the payee's currency, such as 12.50; `-- -12.50` takes back.")],
    reason: ReasonOption,
    prepared_by: Annotated[str, typer.Option("--prepared-by", help="Name of the person who worked it out.")],
    by: Annotated[str, typer.Option("--by", help="Name of the person who approves it.")],
    posted: InOption = None,
    company: CompanyOption = None,
) -> None:
    """Correct a line of a closed statement in an open period."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        entry = corrections.adjust(
            chosen, statement_id, line, amount, reason, prepared_by, by, parse_period(posted) if posted else None
        )
        body = entry.fields
        _say(
            entry,
            f"{body['adjustment_id']}: {body['amount']} {body['currency_code']} for {body['employee_id']} in "
            f"{body['period_type']}:{body['posted_period_start']}, correcting {statement_id} {line}",
        )


def hold(
    employee_id: Annotated[str, typer.Argument(help="The payee.")],
    reason: ReasonOption,
    by: ByOption,
    period: Annotated[str | None, typer.Option("--period", help="Only this period; default: until released.")] = None,
    company: CompanyOption = None,
) -> None:
    """Keep one payee out of payment while the others are paid."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        entry = corrections.hold(chosen, employee_id, reason, by, parse_period(period) if period else None)
        _say(entry, f"{entry.fields['hold_id']}: {employee_id} is on hold")


def release(
    hold_id: Annotated[str, typer.Argument(help="The hold, such as H000012.")],
    reason: ReasonOption,
    by: ByOption,
    company: CompanyOption = None,
) -> None:
    """End a hold; who was left out is paid by the next payment run of the period."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        _say(corrections.release(chosen, hold_id, reason, by), f"{hold_id} released")


@disputes.command("open")
@with_json
def open_dispute(
    statement_id: Annotated[str, typer.Argument(help="The statement, as `explain` shows it.")],
    ground: Annotated[
        str,
        typer.Option(
            "--ground",
            help="missing_transaction, wrong_credit, wrong_assignment, measure_computed_wrongly, excluded_response or "
            "plan_applied_wrongly.",
        ),
    ],
    text: Annotated[str, typer.Option("--text", help="What is wrong, in words.")],
    owner: Annotated[str, typer.Option("--owner", help="Who has to resolve it.")],
    due: DueOption,
    by: ByOption,
    line: Annotated[str | None, typer.Option("--line", help="The line; default: the whole statement.")] = None,
    company: CompanyOption = None,
) -> None:
    """Open a dispute; the step it doubts is computed again at once."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        entry, found = corrections.open_dispute(chosen, statement_id, ground, text, owner, due.date(), by, line)
        _say(entry, f"{entry.fields['dispute_id']}: opened, owner {owner}, due {due.date()}")
        _print_recomputed(found.fields())


@disputes.command("assign")
@with_json
def assign_dispute(
    dispute_id: Annotated[str, typer.Argument(help="The dispute, such as D000012.")],
    owner: Annotated[str, typer.Option("--owner", help="Who has to resolve it.")],
    due: DueOption,
    by: ByOption,
    company: CompanyOption = None,
) -> None:
    """Give a dispute another owner or date."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        _say(
            corrections.assign_dispute(chosen, dispute_id, owner, due.date(), by),
            f"{dispute_id}: owner {owner}, due {due.date()}",
        )


@disputes.command("resolve")
@with_json
def resolve_dispute(
    dispute_id: Annotated[str, typer.Argument(help="The dispute, such as D000012.")],
    outcome: Annotated[str, typer.Option("--outcome", help="upheld, rejected or withdrawn.")],
    reason: ReasonOption,
    by: ByOption,
    amount: Annotated[
        str | None, typer.Option("--amount", help="Correction of the closed line, in the payee's currency.")
    ] = None,
    posted: InOption = None,
    company: CompanyOption = None,
) -> None:
    """Resolve a dispute; upheld on a closed line it may carry an amount, which becomes an adjustment."""
    with _company(company) as chosen:
        from orchestration.ledger import corrections

        entry, found = corrections.resolve_dispute(
            chosen, dispute_id, outcome, reason, by, amount, parse_period(posted) if posted else None
        )
        adjustment = entry.fields["adjustment_id"]
        _say(entry, f"{dispute_id}: {outcome}" + (f", adjustment {adjustment}" if adjustment else ""))
        _print_recomputed(found.fields())


def _print_recomputed(found: dict[str, object]) -> None:
    answer(recomputed=found)
    agrees = {True: "agrees", False: "DIFFERS", None: "nothing to compare"}[found["agrees"]]  # type: ignore[index]
    console.print(
        f"{found['step']}: stated {found['stated'] or 'nothing'}; now {found['found'] or 'nothing'}: {agrees}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    for note in found["notes"]:  # type: ignore[attr-defined]
        console.print(f"  {note}", markup=False, highlight=False, soft_wrap=True)


def periods(company: CompanyOption = None) -> None:
    """List what the ledger knows: periods, holds in force, open disputes."""
    with _company(company) as chosen:
        from orchestration.ledger.state import LedgerState, fold
        from orchestration.ledger.store import has_ledger, open_ledger

        state = LedgerState()
        if has_ledger(chosen):
            with open_ledger(chosen) as ledger:
                state = fold(ledger.entries())
        answer(
            periods=[
                {
                    "period": str(period.key), "state": period.state, "prepared_by": period.prepared_by,
                    "approved_by": period.approved_by, "closed_by": period.closed_by, "release_id": period.release_id,
                    "as_of": period.as_of,
                }
                for period in sorted(state.periods.values(), key=lambda period: period.key)
            ],
            holds=[vars(held) for held in state.holds.values() if held.released_at is None],
            disputes=[vars(dispute) for dispute in state.disputes.values() if dispute.resolved_at is None],
        )  # fmt: skip
        table = Table(box=None)
        for name in ("period", "state", "prepared by", "approved by", "closed by", "release", "as of"):
            table.add_column(name)
        for period in sorted(state.periods.values(), key=lambda period: period.key):
            table.add_row(
                str(period.key), period.state, period.prepared_by, period.approved_by or "", period.closed_by or "",
                period.release_id, period.as_of.isoformat(),
            )  # fmt: skip
        console.print(table)
        for held in state.holds.values():
            if held.released_at is None:
                scope = f"{held.period_type}:{held.period_start}" if held.period_start else "until released"
                console.print(f"{held.hold_id}  {held.employee_id} on hold, {scope}: {held.reason}", markup=False)
        for dispute in state.disputes.values():
            if dispute.resolved_at is None:
                console.print(
                    f"{dispute.dispute_id}  {dispute.statement_id}: {dispute.ground}, owner {dispute.owner}, "
                    f"due {dispute.due_at}",
                    markup=False,
                )


def verify(
    rebuild: Annotated[
        str | None, typer.Option("--rebuild", help="Also rebuild this closed period (or `all`) and compare every cell.")
    ] = None,
    company: CompanyOption = None,
) -> None:
    """Recompute the ledger's chain and contents; the first broken entry is named."""
    with _company(company) as chosen:
        from orchestration.ledger.frozen import rebuild_closed
        from orchestration.ledger.state import fold
        from orchestration.ledger.store import open_ledger
        from orchestration.ledger.verify import verify_ledger

        found = verify_ledger(chosen)
        answer(entries=found.entries, contents=found.contents, notes=found.notes, head=found.head.entry_hash)
        console.print(
            f"ledger whole: {found.entries} entries, {found.contents} contents, {found.notes} notes of its head; "
            f"head {found.head.sequence} {found.head.entry_hash}",
            highlight=False,
            soft_wrap=True,
        )
        if rebuild is None:
            return
        with open_ledger(chosen) as ledger:
            closed = fold(ledger.entries()).final_periods()
        wanted = [period for period in closed if rebuild == "all" or period.key == parse_period(rebuild)]
        if not wanted:
            known = ", ".join(str(period.key) for period in closed) or "none"
            stop(f"{rebuild} is not closed; closed are {known}", EXIT_FAILED)
        rebuilt: dict[str, dict[str, int]] = {}
        for period in wanted:
            statements, cells = rebuild_closed(chosen, period)
            rebuilt[str(period.key)] = {"statements": statements, "cells": cells}
            answer(rebuilt=rebuilt)
            console.print(f"{period.key}: {statements} statements rebuilt, {cells} cells equal", highlight=False)


def explain(
    employee_id: Annotated[str, typer.Argument(help="The payee.")],
    period: PeriodArgument,
    language: Annotated[Literal["en", "zh"], typer.Option("--language", help="Language of names.")] = "en",
    rows: Annotated[bool, typer.Option("--rows", help="Show source rows behind each line.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most source rows per line.")] = 20,
    company: CompanyOption = None,
) -> None:
    """Print a statement as a person reads it: every line, the gate, the corrections, and the rows behind it."""
    with _company(company) as chosen:
        from orchestration.commands.statement_text import print_explained
        from orchestration.ledger.explain import explain as explain_statement

        found = explain_statement(chosen, employee_id, parse_period(period), language, limit if rows else 0)
        answer(**found.fields())
        print_explained(found, language, console)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (calculate, approve, close, pay, adjust, hold, release, periods, verify, explain):
        app.command()(with_json(command))
    app.add_typer(disputes, name="dispute")
