"""Readers of several DuckDB versions and of Arrow open the published files while releases are put in place.

``python benchmarks/readers.py [publications]`` makes a virtual environment per reader, lets all of them read in loops during the
publications, and writes ``readers.md``. Every reader checks on its own that a file is of one release and that releases come in
order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb

from expectations.checks import CheckResult, Scope, save_results
from expectations.gate import gate_check_names
from orchestration.apart import SeparateProcess
from orchestration.publishing.candidate import Candidate, candidates_dir
from orchestration.publishing.release import drop_old_releases, publish
from orchestration.publishing.seal import checks_dir, record_checked_file, seal
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company

SCOPES: tuple[Scope, ...] = ("marts", "incentives")
ROWS = 20_000
# What each environment gets, and how it reads.
READERS = {
    "duckdb 1.4": (["duckdb>=1.4,<1.5"], "rows"),
    "duckdb 1.5.5": (["duckdb==1.5.5"], "rows"),
    "duckdb 2": (["duckdb>=2,<3", "pytz"], "rows"),
    "Arrow through duckdb 1.5.5": (["duckdb==1.5.5", "pyarrow"], "arrow"),
    "a connection held open, as BI tools do": (["duckdb==1.5.5"], "held"),
}
READER = """
import json, os, sys, time
import duckdb
path, stop, how = sys.argv[1:]
query = "select who, (select release_id from meta.publication) as release from facts"
opened, releases, errors, mixed, backwards, last, held = 0, set(), [], 0, 0, "", None
print("ready", flush=True)
while not os.path.exists(stop):
    try:
        if how == "held" and held is None:
            held = duckdb.connect(path, read_only=True)
        connection = held or duckdb.connect(path, read_only=True)
        if how == "arrow":
            table = connection.execute(query)
            table = table.fetch_arrow_table() if hasattr(table, "fetch_arrow_table") else table.to_arrow_table()
            pairs = set(zip(table.column("who").to_pylist(), table.column("release").to_pylist()))
        else:
            pairs = set(connection.execute(query).fetchall())
        if held is None:
            connection.close()
        opened += 1
        (pair,) = pairs
        mixed += pair[0] != pair[1]
        backwards += pair[1] < last
        last = pair[1]
        releases.add(last)
    except Exception as error:
        errors.append(repr(error)[:300])
print(json.dumps({"version": duckdb.__version__, "reads": opened, "releases": len(releases), "errors": len(errors),
                  "first_error": errors[0] if errors else None, "mixed": mixed, "backwards": backwards}))
"""


@dataclass(frozen=True)
class Reading:
    """What one reader saw."""

    reader: str
    version: str
    reads: int
    releases: int
    errors: int
    first_error: str | None
    mixed: int
    backwards: int


def release_of(company: Company, release_id: str, process: SeparateProcess) -> None:
    """Publish a small green release whose rows name it."""
    folder = candidates_dir(company) / release_id
    candidate = Candidate(release_id, folder, date(2026, 1, 1), "run", "c", "p", "i", datetime(2026, 1, 2))
    folder.mkdir(parents=True)
    for path in (candidate.marts_path, candidate.incentives_path):
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as r (storage_version 'v1.4.0')")
            connection.execute(f"create table r.facts as select '{release_id}' as who from range({ROWS})")
            connection.execute("detach r")
        record_checked_file(company, release_id, path)
    for scope in SCOPES:
        green = [
            CheckResult(n, scope, "t", "rule", 1, 1, 0, "1", None, True, "") for n in sorted(gate_check_names(scope))
        ]
        save_results(checks_dir(company, release_id) / f"{scope}.jsonl", green)
    seal(company, candidate, {scope: gate_check_names(scope) for scope in SCOPES}, process)
    publish(company, candidate)
    drop_old_releases(company)


def environments(folder: Path) -> dict[str, Path]:
    """A Python per reader, in a virtual environment of its own."""
    pythons = {}
    for number, (name, (packages, _)) in enumerate(READERS.items()):
        python = folder / f"reader{number}" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        subprocess.run(install, check=True, capture_output=True)
        pythons[name] = python
    return pythons


def read_while_publishing(folder: Path, publications: int) -> tuple[list[Reading], float]:
    """All readers' findings, and how long the publications took."""
    company = copy_company(PROJECT_DIR, folder / "company")
    pythons = environments(folder)
    stop, path = folder / "stop", company.published_dir / "current" / "marts.duckdb"
    with SeparateProcess() as process:
        release_of(company, "r000", process)
        readers = {
            name: subprocess.Popen(
                [str(pythons[name]), "-c", READER, str(path), str(stop), how],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for name, (_, how) in READERS.items()
        }  # fmt: skip
        for reader in readers.values():
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        started = time.perf_counter()
        for number in range(1, publications + 1):
            release_of(company, f"r{number:03}", process)
        seconds = time.perf_counter() - started
    stop.touch()
    found = []
    for name, reader in readers.items():
        output, problem = reader.communicate(timeout=120)
        if reader.returncode:
            raise RuntimeError(f"{name}: {problem}")
        found.append(Reading(name, **json.loads(output)))
    return found, seconds


def main() -> None:
    """Run and write the report."""
    publications = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name:
        found, seconds = read_while_publishing(Path(name), publications)
    rows = "\n".join(
        f"| {r.reader} | {r.version} | {r.reads:,} | {r.releases} | {r.errors} | {r.mixed} | {r.backwards} |"
        for r in found
    )
    text = f"""# Readers during publication

`python benchmarks/readers.py {publications}`, {os.cpu_count()} cores, {date.today():%Y-%m}: {publications} publications in
{seconds:.0f} s, seven releases kept, {len(found)} readers in processes and virtual environments of their own, each reading
{ROWS:,} rows of `published/current/marts.duckdb` in a loop. A reader that holds its connection sees the release that it opened,
although that one is removed meanwhile; the others open the file anew each time.

| reader | version | reads | releases seen | errors | mixed releases | steps backwards |
|---|---|---|---|---|---|---|
{rows}

`tests/publishing/test_reader_versions.py` runs the same with fewer publications (`make soak`).
"""
    (PROJECT_DIR / "benchmarks" / "readers.md").write_text(text, encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
