"""The command on journeys: maps as pictures, from the release in place."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, cast

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
from orchestration.journey.maps import WORDS, Language, MapError, touchpoint_names, write_maps
from orchestration.publishing.reader import open_locked_down
from orchestration.publishing.release import current_release
from orchestration.settings import load_company


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="journey-map")(with_json(journey_map))


def journey_map(
    folder: Annotated[Path, typer.Argument(help="Folder for the files; made when it is not there.")],
    period: Annotated[str | None, typer.Option(help="First day of a quarter; default: the last one.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    company: CompanyOption = None,
) -> None:
    """Write journey maps (flow and health of the touchpoints) of the company, its segments and stores as HTML files."""
    choose(company)
    chosen = load_company()
    if language not in WORDS:
        stop(f"language {language}: choose one of {', '.join(WORDS)}", EXIT_USAGE)
    try:
        start = date.fromisoformat(period) if period else None
    except ValueError:
        stop(f"period {period}: write the first day of a quarter, as 2026-07-01", EXIT_USAGE)
    release = current_release(chosen)
    if release is None:
        stop("nothing was published yet", EXIT_FAILED)
    try:
        names = touchpoint_names(chosen.seeds_dir / "mappings" / "touchpoints.csv", cast(Language, language))
        with open_locked_down(release.marts_path) as marts:
            written = write_maps(marts, folder, chosen.name, names, cast(Language, language), start)
    except MapError as error:
        stop(str(error), EXIT_FAILED)
    answer(release_id=release.release_id, folder=str(folder), files=[str(path) for path in written])
    console.print(f"{len(written)} files in {folder}; begin with {written[0]}", highlight=False, soft_wrap=True)
