"""Companies to test with: folders of their own, made from the sample chain's or an example's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR, Company, load_company

SMALL = SampleSpec(scale=0.1, months=6, last_day=date(2026, 6, 30))


@dataclass(frozen=True)
class NightRun:
    """What one ``scorecard`` command said."""

    exit_code: int
    output: str


def copy_company(source: Path, target: Path) -> Company:
    """A company folder with the settings, seeds and mapping of ``source`` and no data."""
    target.mkdir(parents=True)
    shutil.copy(source / "company.yml", target)
    shutil.copytree(source / "seeds", target / "seeds")
    if (source / "mapping").is_dir():
        shutil.copytree(source / "mapping", target / "mapping")
    return load_company(target)


def run_night(company: Company) -> NightRun:
    """Run a night the way cron does: a process of its own."""
    return run_scorecard(company, "nightly")


def run_scorecard(company: Company, command: str, *arguments: str) -> NightRun:
    """Run one command of ``scorecard`` in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SCORECARD_")}
    environment["PYTHONPATH"] = str(PROJECT_DIR)
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "from orchestration.cli import main; main()",
            command,
            "--company",
            str(company.folder),
            *arguments,
        ],
        capture_output=True,
        text=True,
        env=environment,
        cwd=company.folder,
        timeout=600,
        check=False,
    )
    return NightRun(process.returncode, process.stdout + process.stderr)


@pytest.fixture(scope="session")
def small_extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Extracts of a tenth of the sample chain over six months."""
    folder = tmp_path_factory.mktemp("small") / "extracts"
    write_sample(folder, SMALL)
    return folder


@pytest.fixture(scope="session")
def adventureworks_data() -> Path:
    """The AdventureWorks files beside the checkout."""
    folder = PROJECT_DIR.parent / "shared" / "data" / "adventureworks"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the AdventureWorks files are not part of the project")
    return folder
