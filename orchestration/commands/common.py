"""What all commands share: where they print, how they choose the company, how they stop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_WITHOUT_INCENTIVES = 3
EXIT_BUSY = 75

console = Console()

CompanyOption = Annotated[
    Path | None,
    typer.Option(
        "--company", help="Folder of the company (its company.yml); default: SCORECARD_COMPANY, then the sample."
    ),
]


def choose(folder: Path | None) -> None:
    """The chosen company is passed on through the environment: Dagster's own processes read it there."""
    if folder is not None:
        os.environ["SCORECARD_COMPANY"] = str(folder.resolve())


def stop(message: str, code: int) -> NoReturn:
    """Say why and end with the exit code."""
    console.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
