"""Every operation of the ledger is a Dagster job too, and does what the command does."""

from __future__ import annotations

import dagster as dg
import pytest

from orchestration.defs.ledger import build_ledger_jobs
from orchestration.ledger.state import fold
from orchestration.ledger.store import open_ledger
from tests.ledger.conftest import JUNE, MAY, Shop, close_period, statement_id


def run(name: str, config: dict) -> dg.ExecuteInProcessResult:
    (job,) = (job for job in build_ledger_jobs() if job.name == f"ledger_{name}")
    return job.execute_in_process(
        run_config={
            "ops": {name: {"config": config}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        raise_on_error=False,
    )


def test_there_is_a_job_for_every_operation() -> None:
    assert {job.name for job in build_ledger_jobs()} == {
        f"ledger_{name}"
        for name in (
            "calculate", "approve", "close", "pay", "adjust", "hold", "release", "open_dispute", "assign_dispute",
            "resolve_dispute",
        )
    }  # fmt: skip


def test_jobs_do_what_the_commands_do_and_fail_where_they_refuse(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORECARD_COMPANY", str(shop.company.folder))
    close_period(shop.company, MAY)
    may, june = ({"period": str(key), "by": "Ann"} for key in (MAY, JUNE))
    assert run("hold", {"employee_id": "E2", "reason": "left", "by": "Ann"}).success
    assert run("pay", may).success
    assert run("calculate", june).success
    assert not run("approve", june).success
    assert run("approve", june | {"by": "Bob"}).success
    assert run("release", {"hold_id": "H000004", "reason": "back", "by": "Bob"}).success
    assert run(
        "adjust",
        {
            "statement_id": statement_id("E1", MAY), "line_key": "1", "amount": "2.50", "reason": "r",
            "prepared_by": "Ann", "by": "Bob",
        },
    ).success  # fmt: skip
    assert not run("close", june | {"by": "Cem"}).success
    assert not run("resolve_dispute", {"dispute_id": "D1", "outcome": "upheld", "reason": "r", "by": "Bob"}).success
    with open_ledger(shop.company) as ledger:
        state = fold(ledger.entries())
    assert (state.state_of(MAY), state.state_of(JUNE)) == ("paid", "approved")
    assert state.holds["H000004"].released_by == "Bob"
    assert len(state.adjustments) == 1
