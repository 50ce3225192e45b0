"""The command that computes past nights again."""

from __future__ import annotations

from datetime import datetime
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
from orchestration.settings import load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(with_json(backfill))


def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Day of the first night.")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Day of the last; default: the same.")
    ] = None,
    company: CompanyOption = None,
) -> None:
    """Compute past nights again, each from what had been delivered by then, into backfill/<day>/published/current.

    What readers see does not change. Exit codes: 0 all of them published, 1 one failed or cannot be computed, 75 a night
    is running.
    """
    choose(company)
    from orchestration.past_night import BackfillError
    from orchestration.past_night import backfill as rebuild_nights

    rebuilt = []
    try:
        for night in rebuild_nights(load_company(), first.date(), (last or first).date()):
            rebuilt.append(night)
            basis = "the files it had by the books" if night.is_as_run else "the files dated by then"
            console.print(
                f"{night.as_of}: {night.outcome.replace('_', ' ')} from {basis}, in {night.folder}",
                highlight=False,
                soft_wrap=True,
            )
            answer(nights=[vars(each) for each in rebuilt])
    except BackfillError as error:
        stop(str(error), EXIT_USAGE)
    if failed := [str(night.as_of) for night in rebuilt if night.outcome == "failed"]:
        stop(f"failed: {', '.join(failed)}", EXIT_FAILED)
