"""The planted truth of 100 sample chains: is the ruinous touchpoint ranked first, has its department the largest share of blame?

    python -m benchmarks.planted_truth [--seeds 100] [--workers 2]

A chain takes about a minute of one core. Each is written to ``planted_truth.jsonl`` beside this file when it is
through, with the version of the code, and a run does the seeds that are still missing there; the report counts them all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import duckdb

from orchestration.landing import land
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.night import code_version, end_of_day
from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR
from orchestration.transform import run_dbt
from orchestration.value.published import keep_published_value
from tests.conftest import copy_company

SCALE = 0.2
RUINOUS = "delivery"
OWNER = "logistics"
NEEDED_RATIO = 0.95


@dataclass(frozen=True)
class Found:
    """What one chain showed: the touchpoint of rank 1 and the department with the largest share of blame."""

    seed: int
    touchpoint: str
    department: str | None
    code: str


def find(folder: Path, seeds: Sequence[int], tell: Callable[[Found], None]) -> None:
    """Tell what each seed showed, all in one folder: dbt parses once."""
    company = copy_company(PROJECT_DIR, folder)
    for seed in seeds:
        spec = SampleSpec(seed=seed, scale=SCALE)
        write_sample(company.extracts_dir, spec)
        land(company)
        with duckdb.connect(str(company.warehouse_path)) as connection:
            connection.execute("create schema if not exists control")
            connection.execute(
                "create table control.night as select ?::date as as_of, ?::timestamp as known_until, 'one' as code_version",
                [spec.last_day, end_of_day(company, spec.last_day)],
            )
            write_ledger_tables(company, connection)
            keep_published_value(connection, company)
        for command in (["seed"], ["run", "--select", "+key_touchpoints", "+blame_split"]):
            result = run_dbt(company, *command)
            if not result.success:
                raise RuntimeError(f"Seed {seed}: dbt {command[0]} failed: {result.exception or result.result}")
        with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
            (touchpoint,) = connection.execute(
                "select touchpoint_code from journey.key_touchpoints where touchpoint_rank = 1"
            ).fetchall()[0]
            departments = connection.execute(
                "select department_code from journey.blame_split where department_code is not null "
                "group by department_code order by sum(share) desc, department_code limit 1"
            ).fetchall()
        tell(Found(seed, touchpoint, departments[0][0] if departments else None, code_version()[:12]))
        shutil.rmtree(company.extracts_dir)
        company.warehouse_path.unlink()


def _write(book: Path, found: Found) -> None:
    with book.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(asdict(found)) + "\n")
    print(found, flush=True)


def _read(book: Path) -> list[Found]:
    lines = book.read_text(encoding="utf-8").splitlines() if book.is_file() else []
    return sorted((Found(**json.loads(line)) for line in lines), key=lambda one: one.seed)


def _report(found: Sequence[Found]) -> str:
    first = [one.seed for one in found if one.touchpoint == RUINOUS]
    largest = [one.seed for one in found if one.department == OWNER]
    versions = len({one.code for one in found})
    lines = [
        "# The planted truth of many chains",
        "",
        f"`python -m benchmarks.planted_truth`, one or more times: {len(found)} sample chains at scale {SCALE}, seeds "
        f"{', '.join(_spans([one.seed for one in found]))}; Python {platform.python_version()}, DuckDB {duckdb.__version__}, "
        f"{versions} version{'s' * (versions > 1)} of the code (`planted_truth.jsonl`).",
        "",
        "| | chains | of | goal |",
        "|---|---|---|---|",
        f"| the ruinous touchpoint (`{RUINOUS}`) is ranked first | {len(first)} | {len(found)} | {NEEDED_RATIO:.0%} |",
        f"| its department (`{OWNER}`) has the largest share of blame | {len(largest)} | {len(found)} | {NEEDED_RATIO:.0%} |",
    ]
    if others := [one for one in found if (one.touchpoint, one.department) != (RUINOUS, OWNER)]:
        shown = "; ".join(f"seed {one.seed}: {one.touchpoint}, {one.department}" for one in others)
        lines += ["", f"Not so: {shown}."]
    return "\n".join(lines) + "\n"


def _spans(seeds: Sequence[int]) -> list[str]:
    """Runs of consecutive seeds, ``1 to 26``, so that a hole shows."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][-1] + 1:
            spans[-1].append(seed)
        else:
            spans.append([seed])
    return [str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans]


def main() -> None:
    """Run the seeds that are missing and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    book = arguments.out.with_suffix(".jsonl")
    done = {one.seed for one in _read(book)}
    missing = [seed for seed in range(1, arguments.seeds + 1) if seed not in done]
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool,
    ):
        tasks = [
            pool.submit(find, Path(folder) / str(no), missing[no :: arguments.workers], partial(_write, book))
            for no in range(arguments.workers)
        ]
        for task in tasks:
            task.result()
    arguments.out.write_text(_report(_read(book)), encoding="utf-8")


if __name__ == "__main__":
    main()
