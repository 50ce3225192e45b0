"""Threads and engine change nothing: the same extracts give the same published tables."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company, run_scorecard
from tests.end_to_end.published import published

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def python_with_duckdb_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that sees all packages of this one but for DuckDB, of which it has the next major version."""
    folder = tmp_path_factory.mktemp("duckdb2")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python*/site-packages")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(packages),
        "duckdb>=2,<3",
    ]
    run = subprocess.run(install, capture_output=True, text=True, check=False)
    if "after connection broken by" in run.stderr and run.returncode:
        pytest.skip("there is no network to install DuckDB 2 from")
    assert run.returncode == 0, run.stderr
    (packages / "shared.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return python


def test_threads_and_engine_change_no_cell(small_extracts: Path, tmp_path: Path, python_with_duckdb_2: Path) -> None:
    tables = {}
    engines = {}
    for python, threads in (
        (Path(sys.executable), "1"),
        (Path(sys.executable), "2"),
        (Path(sys.executable), "2"),
        (Path(sys.executable), "4"),
        (python_with_duckdb_2, "1"),
        (python_with_duckdb_2, "2"),
        (python_with_duckdb_2, "4"),
    ):
        name = f"{len(tables)}: {threads} threads"
        company = copy_company(PROJECT_DIR, tmp_path / f"company{len(tables)}")
        company.extracts_dir.symlink_to(small_extracts)
        night = run_scorecard(company, "nightly", python=python, settings={"SCORECARD_DUCKDB_THREADS": threads})
        assert night.exit_code == 0, night.output
        tables[name] = published(company)
        engines[name] = subprocess.run(
            [python, "-c", "import duckdb; print(duckdb.__version__)"], capture_output=True, text=True, check=True
        ).stdout.strip()
    assert set(engines.values()) == {duckdb.__version__, *(v for v in engines.values() if v.startswith("2."))}
    assert len(set(engines.values())) == 2
    first, *others = tables
    assert len(tables[first]) > 15
    for other in others:
        assert tables[other] == tables[first], f"{other} ({engines[other]}) differs from {first} ({engines[first]})"
