"""From a survey file that is closed to the release that readers see, on the default sample.

One night is run on the sample without the survey's last days; then each of these days is delivered as files, and the time is
taken until ``published/current`` points at a release with its answers: on the first by ``scorecard refresh`` as cron starts it,
on the second by ``scorecard refresh --watch 1``, which stays, and on the third by the sensor of ``scorecard ui``.

    python -m benchmarks.within_the_day [--scale 1.0] [--out benchmarks/within_the_day.md]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb

from orchestration.sample import SampleSpec, write_sample
from orchestration.settings import PROJECT_DIR, Company, load_company

_EXTRACTS = ("survey/responses", "survey/answers")
_WARM_AFTER = 90.0


def _command(company: Company, *arguments: str) -> list[str]:
    program = "from orchestration.cli import main; main()"
    return [sys.executable, "-c", program, *arguments, "--company", str(company.folder)]


def _run(company: Company, *arguments: str) -> str:
    done = subprocess.run(_command(company, *arguments), cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def _deliver(held: Path, company: Company, day: str) -> float:
    """Close the files of one day in their places; the time at which the last one was closed."""
    for extract in _EXTRACTS:
        for path in sorted((held / extract).glob(f"*{day}*")):
            shutil.copyfile(path, company.extracts_dir / extract / path.name)
    return time.time()


def _wait_for(company: Company, before: Path, since: float) -> float:
    while (company.published_dir / "current").resolve() == before:
        if time.time() - since > 900:
            raise SystemExit("no release within a quarter of an hour")
        time.sleep(0.02)
    return time.time() - since


@contextmanager
def _beside(company: Company, log: Path, *arguments: str) -> Iterator[None]:
    """A command that stays, given the time to be warm: it is there long before the first answers of a day."""
    with log.open("wb") as output:
        staying = subprocess.Popen(
            _command(company, *arguments), cwd=PROJECT_DIR, stdout=output, stderr=output, start_new_session=True
        )
        try:
            time.sleep(_WARM_AFTER)
            yield
        finally:
            # With all that it has begun.
            os.killpg(staying.pid, signal.SIGKILL)
            staying.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(company: Company) -> int:
    with duckdb.connect(str(company.published_dir / "current" / "marts.duckdb"), read_only=True) as connection:
        return int(connection.execute("select count(*) from core.survey_answers").fetchall()[0][0])


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--folder", type=Path, help="Where to work; default: a temporary folder.")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(PROJECT_DIR)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "company"
        folder.mkdir()
        shutil.copy(PROJECT_DIR / "company.yml", folder)
        shutil.copytree(PROJECT_DIR / "seeds", folder / "seeds")
        company = load_company(folder)
        spec = replace(SampleSpec(), scale=arguments.scale)
        write_sample(company.extracts_dir, spec)
        held = Path(name) / "held"
        days = [(spec.last_day - timedelta(days=back)).isoformat() for back in (2, 1, 0)]
        for extract in _EXTRACTS:
            (held / extract).mkdir(parents=True)
            for day in days:
                for path in (company.extracts_dir / extract).glob(f"*{day}*"):
                    path.rename(held / extract / path.name)

        started = time.time()
        _run(company, "nightly")
        night_seconds = time.time() - started
        pay = (company.published_dir / "current").resolve()
        rows: list[tuple[str, str, float, int, dict[str, float]]] = []

        def measure(day: str, how: str, *command: str) -> None:
            before, answers = (company.published_dir / "current").resolve(), _answers(company)
            closed = _deliver(held, company, day)
            asked = subprocess.Popen(_command(company, *command), cwd=PROJECT_DIR) if command else None
            seconds = _wait_for(company, before, closed)
            if asked is not None:
                asked.wait()
            # The report is written when the release is in place.
            time.sleep(3)
            report = json.loads((company.state_dir / "last_refresh.json").read_text(encoding="utf-8"))
            rows.append((day, how, seconds, _answers(company) - answers, report["seconds"]))

        first, second, third = days
        measure(first, "refresh, a process of its own", "refresh")
        with _beside(company, Path(name) / "watch.log", "refresh", "--watch", "1"):
            measure(second, "refresh --watch 1")
        with _beside(company, Path(name) / "ui.log", "ui", "--port", str(_free_port())):
            measure(third, "sensor of scorecard ui")
        with duckdb.connect(str(pay / "marts.duckdb"), read_only=True) as connection:
            lines = connection.execute("select count(*) from core.order_lines").fetchall()[0][0]
        pay_rows, digest = _pay(pay)
        same_pay = (pay_rows, digest) == _pay((company.published_dir / "current").resolve())
        warehouse = company.warehouse_path.stat().st_size / 1e6
        marts = (pay / "marts.duckdb").stat().st_size / 1e6

    steps = list(rows[0][4])
    text = [
        "# From a closed survey file to the release that readers see",
        "",
        f"`python -m benchmarks.within_the_day --scale {arguments.scale}`, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, DuckDB {duckdb.__version__}; load of the machine at the "
        f"end {os.getloadavg()[1]:.1f}.",
        "",
        f"Sample at scale {arguments.scale}: {lines:,} order lines, warehouse {warehouse:.0f} MB, marts {marts:.0f} MB. The "
        f"night took {night_seconds:.0f} s.",
        "",
        f"| day | how | answers | seconds | of the night | {' | '.join(steps)} |",
        f"|---|---|---|---|---|{'---|' * len(steps)}",
        *(
            f"| {day} | {how} | {answers} | **{seconds:.1f}** | {seconds / night_seconds:.1%} | "
            f"{' | '.join(str(parts.get(s, '')) for s in steps)} |"
            for day, how, seconds, answers, parts in rows
        ),
        "",
        "Seconds are from the last file closed to `current` pointing at the new release; the steps are those of the refresh "
        "itself, without the start of its process. Who keeps watch has copied the warehouse and read the project before the "
        "answers come, and so has the process that the sensor has keep watch.",
        f"The incentives tables, {pay_rows:,} rows, are {'those' if same_pay else 'NOT those'} of the night, row for row.",
    ]
    arguments.out.write_text("\n".join(text) + "\n", encoding="utf-8")


def _pay(release: Path) -> tuple[int, str]:
    """The number of rows in the incentives tables, and a digest of all of them."""
    rows, digests = 0, []
    with duckdb.connect(str(release / "incentives.duckdb"), read_only=True) as connection:
        for (table,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name = 'incentive' order by 1"
        ).fetchall():
            count, digest = connection.execute(
                "select count(*), md5(coalesce(string_agg(line, chr(10) order by line), '')) "
                f"from (select cast(t as varchar) as line from {table} as t)"
            ).fetchall()[0]
            rows += count
            digests.append(digest)
    return rows, "".join(digests)


if __name__ == "__main__":
    main()
