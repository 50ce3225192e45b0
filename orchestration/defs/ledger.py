"""The ledger's operations as jobs: what the command line does, with who does it in the run's configuration."""

from datetime import date
from typing import Any

import dagster as dg

from orchestration.ledger import corrections, operations
from orchestration.ledger.chain import Entry
from orchestration.ledger.periods import parse_period
from orchestration.settings import load_company


class PeriodConfig(dg.Config):
    """A period, and who acts on it."""

    period: str
    by: str


class AdjustConfig(dg.Config):
    """A correction of a closed line; ``posted_in`` is an open period, by default the first."""

    statement_id: str
    line_key: str
    amount: str
    reason: str
    prepared_by: str
    by: str
    posted_in: str | None = None


class HoldConfig(dg.Config):
    """A payee to hold; without a period until released."""

    employee_id: str
    reason: str
    by: str
    period: str | None = None


class ReleaseConfig(dg.Config):
    """A hold to end."""

    hold_id: str
    reason: str
    by: str


class OpenDisputeConfig(dg.Config):
    """A dispute to open; ``due`` is a day such as 2026-07-31."""

    statement_id: str
    ground: str
    text: str
    owner: str
    due: str
    by: str
    line_key: str | None = None


class AssignDisputeConfig(dg.Config):
    """Another owner or date of a dispute."""

    dispute_id: str
    owner: str
    due: str
    by: str


class ResolveDisputeConfig(dg.Config):
    """A dispute to resolve; an amount corrects the closed line it is about."""

    dispute_id: str
    outcome: str
    reason: str
    by: str
    amount: str | None = None
    posted_in: str | None = None


def _metadata(entry: Entry) -> dict[str, Any]:
    return {"entry": entry.sequence, "entry_hash": entry.entry_hash, "by": entry.actor}


@dg.op
def calculate(context: dg.OpExecutionContext, config: PeriodConfig) -> None:
    """Note what the release in place pays for the period."""
    context.add_output_metadata(_metadata(operations.calculate(load_company(), parse_period(config.period), config.by)))


@dg.op
def approve(context: dg.OpExecutionContext, config: PeriodConfig) -> None:
    """Approve what was calculated."""
    context.add_output_metadata(_metadata(operations.approve(load_company(), parse_period(config.period), config.by)))


@dg.op
def close(context: dg.OpExecutionContext, config: PeriodConfig) -> None:
    """Close an approved period."""
    context.add_output_metadata(_metadata(operations.close(load_company(), parse_period(config.period), config.by)))


@dg.op
def pay(context: dg.OpExecutionContext, config: PeriodConfig) -> None:
    """Note the payment run of a closed period."""
    entry, payments = operations.pay(load_company(), parse_period(config.period), config.by)
    context.add_output_metadata(_metadata(entry) | {"payments": len(payments)})


@dg.op
def adjust(context: dg.OpExecutionContext, config: AdjustConfig) -> None:
    """Correct a line of a closed statement in an open period."""
    entry = corrections.adjust(
        load_company(), config.statement_id, config.line_key, config.amount, config.reason, config.prepared_by,
        config.by, parse_period(config.posted_in) if config.posted_in else None,
    )  # fmt: skip
    context.add_output_metadata(_metadata(entry))


@dg.op
def hold(context: dg.OpExecutionContext, config: HoldConfig) -> None:
    """Keep one payee out of payment."""
    key = parse_period(config.period) if config.period else None
    entry = corrections.hold(load_company(), config.employee_id, config.reason, config.by, key)
    context.add_output_metadata(_metadata(entry) | {"hold_id": entry.fields["hold_id"]})


@dg.op
def release(context: dg.OpExecutionContext, config: ReleaseConfig) -> None:
    """End a hold."""
    context.add_output_metadata(
        _metadata(corrections.release(load_company(), config.hold_id, config.reason, config.by))
    )


@dg.op
def open_dispute(context: dg.OpExecutionContext, config: OpenDisputeConfig) -> None:
    """Open a dispute and compute the doubted step again."""
    entry, found = corrections.open_dispute(
        load_company(), config.statement_id, config.ground, config.text, config.owner, date.fromisoformat(config.due),
        config.by, config.line_key,
    )  # fmt: skip
    context.add_output_metadata(_metadata(entry) | {"dispute_id": entry.fields["dispute_id"], "found": found.found})


@dg.op
def assign_dispute(context: dg.OpExecutionContext, config: AssignDisputeConfig) -> None:
    """Give a dispute another owner or date."""
    due = date.fromisoformat(config.due)
    context.add_output_metadata(
        _metadata(corrections.assign_dispute(load_company(), config.dispute_id, config.owner, due, config.by))
    )


@dg.op
def resolve_dispute(context: dg.OpExecutionContext, config: ResolveDisputeConfig) -> None:
    """Resolve a dispute; the doubted step is computed once more."""
    entry, found = corrections.resolve_dispute(
        load_company(), config.dispute_id, config.outcome, config.reason, config.by, config.amount,
        parse_period(config.posted_in) if config.posted_in else None,
    )  # fmt: skip
    context.add_output_metadata(_metadata(entry) | {"found": found.found})


def build_ledger_jobs() -> list[dg.JobDefinition]:
    """One job per operation, named like its command: ``ledger_close`` and so on."""
    operations_by_name = {
        "calculate": calculate, "approve": approve, "close": close, "pay": pay, "adjust": adjust, "hold": hold,
        "release": release, "open_dispute": open_dispute, "assign_dispute": assign_dispute,
        "resolve_dispute": resolve_dispute,
    }  # fmt: skip
    return [
        dg.GraphDefinition(name=f"ledger_{name}", node_defs=[op]).to_job(
            description=op.description, executor_def=dg.in_process_executor
        )
        for name, op in operations_by_name.items()
    ]
