"""Companies to test with: folders of their own, made from the sample chain's or an example's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from orchestration.apart import SeparateProcess
from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR, Company, load_company
from orchestration.unit_tests import unit_tests_path

# A gate that all commits pass must say the same of the same commit twice; elsewhere every run looks at new examples.
hypothesis_settings.register_profile("reproducible", derandomize=True)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("reproducible")

# Writes files for BI, as a process of a night does; begun by the first test that has it write one.
WRITER = SeparateProcess()

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


# What the unit tests of models came to, by time zone and currency: they prove the code, which is the same for every company.
_unit_tests: dict[tuple[str, str], bytes] = {}


def run_night(company: Company, settings: Mapping[str, str] | None = None) -> NightRun:
    """Run a night the way cron does: a process of its own."""
    key, path = (company.time_zone, company.currency_code), unit_tests_path(company)
    if key in _unit_tests and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(_unit_tests[key])
    run = run_scorecard(company, "nightly", settings=settings)
    if path.is_file():
        _unit_tests[key] = path.read_bytes()
    return run


def run_scorecard(
    company: Company,
    command: str,
    *arguments: str,
    python: str | Path = sys.executable,
    settings: Mapping[str, str] | None = None,
) -> NightRun:
    """Run one command of ``scorecard`` in a process of its own, with no settings of the environment but ``settings``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SCORECARD_")}
    environment |= {"PYTHONPATH": str(PROJECT_DIR), **(settings or {})}
    process = subprocess.run(
        [
            str(python),
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


@dataclass(frozen=True)
class FirstNight:
    """The first night of the small chain, and copies of its three files as that night left them."""

    company: Company
    run: NightRun
    files: Path


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory, small_extracts: Path) -> FirstNight:
    """One night for all tests of a worker that look at one."""
    company = copy_company(PROJECT_DIR, tmp_path_factory.mktemp("night") / "company")
    company.extracts_dir.symlink_to(small_extracts)
    run = run_night(company)
    files = tmp_path_factory.mktemp("files")
    for path in (company.warehouse_path, *(company.published_dir / "current").glob("*.duckdb")):
        shutil.copy(path, files)
    return FirstNight(company, run, files)


@pytest.fixture(scope="session")
def built_night(first_night: FirstNight) -> Path:
    """Folder with ``warehouse.duckdb``, ``marts.duckdb`` and ``incentives.duckdb`` of one night."""
    assert first_night.run.exit_code == 0, first_night.run.output
    return first_night.files


@pytest.fixture(scope="session")
def adventureworks_data() -> Path:
    """The AdventureWorks files beside the checkout."""
    folder = PROJECT_DIR.parent / "shared" / "data" / "adventureworks"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the AdventureWorks files are not part of the project")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
