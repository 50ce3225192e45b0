"""Killed at any moment of a close, the period is closed or it is not, and the next attempt finds a whole ledger."""

from __future__ import annotations

import random
import shutil
import time

import pytest

from orchestration.ledger import operations
from orchestration.ledger.basis import closed_table
from orchestration.ledger.errors import Refused
from orchestration.ledger.state import fold
from orchestration.ledger.store import ledger_dir, open_ledger
from orchestration.ledger.verify import verify_ledger
from tests.ledger.conftest import MAY, Shop, believe, keep_little, run_code, was_killed

CLOSE = """
import os, signal, sys
from pathlib import Path
from orchestration.ledger import operations, store
from orchestration.ledger.periods import parse_period
from orchestration.settings import load_company
from tests.ledger.conftest import believe, keep_little

company, step = load_company(sys.argv[1]), sys.argv[2]

def dying(function):
    def killed(*arguments, **named):
        result = function(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return killed

if step == "after the inputs were collected":
    keep_little = dying(keep_little)
elif step == "after the rebuild":
    believe = dying(believe)
elif step == "after the first content":
    store.Writing.put = dying(store.Writing.put)
elif step == "after the entry, before the commit":
    store.Writing.append = dying(store.Writing.append)
elif step == "after the commit, before the head is noted":
    def killed(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    store.Ledger._note_head = killed
elif step == "after the head is noted":
    store.write_durably = dying(store.write_durably)
print("ready", flush=True)
operations.close(company, parse_period("2026-05"), "Cem", keep_little, believe)
"""
STEPS = {
    "after the inputs were collected": "approved",
    "after the rebuild": "approved",
    "after the first content": "approved",
    "after the entry, before the commit": "approved",
    "after the commit, before the head is noted": "closed",
    "after the head is noted": "closed",
}


def approved(shop: Shop) -> None:
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")


def found(shop: Shop) -> str:
    """The state of May; a closed one is whole to the last cell."""
    verify_ledger(shop.company)
    with open_ledger(shop.company) as ledger:
        period = fold(ledger.entries()).periods[MAY]
        if period.state == "closed":
            assert len(closed_table(ledger.content, period.closed, "statements").rows) == 2
            assert len(closed_table(ledger.content, period.closed, "statement_lines").rows) == 4
        return period.state


def close_again(shop: Shop, state: str) -> None:
    if state == "closed":
        with pytest.raises(Refused, match="is closed already"):
            operations.close(shop.company, MAY, "Cem", keep_little, believe)
    else:
        operations.close(shop.company, MAY, "Cem", keep_little, believe)
    assert found(shop) == "closed"


@pytest.mark.parametrize("step", STEPS)
def test_a_close_killed_at_a_step_has_happened_or_not(shop: Shop, step: str) -> None:
    approved(shop)
    process = run_code(CLOSE, str(shop.company.folder), step)
    _, errors = process.communicate(timeout=120)
    assert was_killed(process), errors
    assert found(shop) == STEPS[step]
    close_again(shop, STEPS[step])


def kill_rounds(shop: Shop, rounds: int, seed: int) -> dict[str, int]:
    """Kill closes at random moments after they are ready; returns how often each state was found."""
    approved(shop)
    before = ledger_dir(shop.company).with_name("before")
    shutil.copytree(ledger_dir(shop.company), before)
    # How long one takes undisturbed, so that the moments spread over all of it.
    process = run_code(CLOSE, str(shop.company.folder), "whole")
    assert process.stdout is not None
    process.stdout.readline()
    started = time.monotonic()
    process.communicate(timeout=120)
    whole = time.monotonic() - started
    moments, states = random.Random(seed), {"approved": 0, "closed": 0}
    for _ in range(rounds):
        shutil.rmtree(ledger_dir(shop.company))
        shutil.copytree(before, ledger_dir(shop.company))
        process = run_code(CLOSE, str(shop.company.folder), "whole")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0, whole))
        process.kill()
        process.communicate()
        state = found(shop)
        states[state] += 1
        close_again(shop, state)
    return states


def test_a_close_killed_at_random_moments_has_happened_or_not(shop: Shop) -> None:
    assert sum(kill_rounds(shop, rounds=4, seed=1).values()) == 4


@pytest.mark.soak
def test_a_close_killed_at_hundreds_of_random_moments_has_happened_or_not(shop: Shop) -> None:
    states = kill_rounds(shop, rounds=300, seed=2)
    assert min(states.values()) > 0, states
