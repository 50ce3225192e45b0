"""The command that forgets customers."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from orchestration.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    CompanyOption,
    answer,
    choose,
    console,
    stop,
    with_json,
)
from orchestration.lock import night_lock
from orchestration.settings import load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(with_json(erase))


def erase(
    customers: Annotated[
        list[str],
        typer.Argument(help="Keys of the customers, as their systems deliver them; - reads them from standard input."),
    ],
    reason: Annotated[str, typer.Option(help="Why; kept with who and when. Do not name the customer.")],
    by: Annotated[str | None, typer.Option(help="Who orders it; default: the user of this computer.")] = None,
    company: CompanyOption = None,
) -> None:
    """Forget customers: pseudonyms everywhere, no contact data, no text of theirs; totals stay. Then a night is run, and every
    release from before it is removed.

    Exit codes: 0 done, 1 the night did not publish (the erasure is resumed by the next), 2 unknown customer, 75 busy.
    """
    choose(company)
    chosen = load_company()
    from orchestration.erasure.erase import request_erasure
    from orchestration.erasure.register import ErasureError, read_erasures

    if customers == ["-"]:
        # What stands on a command line is seen in the list of processes.
        customers = [line.strip() for line in sys.stdin if line.strip()]
    try:
        with night_lock(chosen.lock_path):
            requested = request_erasure(chosen, customers, by or getpass.getuser(), reason)
            # dbt keeps the command line of the process in its log.
            sys.argv[1:] = ["erase"]
            from orchestration.nightly import run_nightly

            report = run_nightly(chosen) if read_erasures(chosen).pending else None
    except ErasureError as error:
        stop(str(error), EXIT_USAGE)
    is_done = not read_erasures(chosen).pending
    answer(
        erased=list(requested.new),
        erased_before=[{"customer": name, "at": at} for name, at in requested.known],
        is_done=is_done,
        release_id=report.release_id if report else None,
        reasons=report.reasons if report else [],
    )
    for name in requested.new:
        console.print(f"{name}: erased", highlight=False)
    for name, at in requested.known:
        console.print(f"{name}: was erased already, {at}", highlight=False)
    if report is not None and is_done:
        console.print(f"readers see release {report.release_id}; the releases before it are gone", highlight=False)
    if not is_done:
        reasons = "; ".join(report.reasons[:5]) if report else ""
        stop(
            f"the warehouse is clean, but the night published nothing, so older releases still stand: {reasons}",
            EXIT_FAILED,
        )
