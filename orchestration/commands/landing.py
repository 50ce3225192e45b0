"""The command on what was delivered: files, refused rows, versions of a record."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.common import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_USAGE,
    CompanyOption,
    answer,
    choose,
    console,
    is_for_a_program,
    stop,
    with_json,
)
from orchestration.settings import load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(with_json(landed))


def landed(
    extract: Annotated[str | None, typer.Option(help="Only this one, such as sales/returns.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many files to show.")] = 20,
    rejects: Annotated[
        bool, typer.Option("--rejects", help="Print the rows in quarantine as CSV, to be sent to who delivered them.")
    ] = False,
    settled: Annotated[
        bool, typer.Option("--settled", help="With --rejects: also the rows that a later delivery has made good.")
    ] = False,
    record: Annotated[
        list[str] | None, typer.Option(help="Show every delivered version of this record; one --record per key column.")
    ] = None,
    company: CompanyOption = None,
) -> None:
    """Show the files that landed last, their rows, and what was refused and why.

    Exit codes: 1 nothing was landed yet, 2 wrong usage, 75 a night is running and has the books open.
    """
    choose(company)
    from orchestration.landed import LandedRequest, find_landed, print_landed
    from orchestration.landing import LandingError
    from orchestration.landing.books import WarehouseIsBusy

    request = LandedRequest(extract, last, rejects, settled, tuple(record or ()))
    try:
        listing = find_landed(load_company(), request)
    except WarehouseIsBusy as error:
        stop(str(error), EXIT_BUSY)
    except ValueError as error:
        stop(str(error), EXIT_USAGE)
    except LandingError as error:
        stop(str(error), EXIT_FAILED)
    if is_for_a_program():
        answer(rows=listing.records())
    else:
        print_landed(listing, request, console)
