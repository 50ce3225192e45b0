"""What landing costs beside DuckDB's own read_csv with the same types, in memory, and on a night without news.

python benchmarks/landing.py                                       10 million lines, three runs each, in turn
python benchmarks/landing.py --rows 100000000 --runs 1 --alone     memory at 100 million lines (needs 15 GB of disk)

Every measurement runs in a process of its own; the files are written to a temporary folder and removed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

TYPES = {
    "order_id": "varchar", "line_no": "integer", "ordered_at": "timestamp", "store_id": "varchar", "product_id": "varchar",
    "quantity": "decimal(18,4)", "unit_price": "decimal(18,4)", "currency_code": "varchar", "customer_id": "varchar",
    "employee_id": "varchar", "channel": "varchar", "discount_amount": "decimal(18,4)",
}  # fmt: skip


def write_lines(path: Path, first: int, rows: int) -> None:
    """Order lines of a chain of 40 stores, in the order of their time."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select 'O' || lpad(cast(i // 3 as varchar), 9, '0') as order_id, cast(i % 3 + 1 as integer) as line_no,
                    strftime(timestamp '2025-05-01 08:00:00' + to_seconds(cast(i * 0.4 as bigint)), '%Y-%m-%d %H:%M:%S')
                        as ordered_at,
                    'S' || lpad(cast(1 + hash(i // 3) % 40 as varchar), 3, '0') as store_id,
                    'P' || lpad(cast(1 + hash(i * 7) % 2000 as varchar), 5, '0') as product_id,
                    cast(1 + hash(i * 11) % 3 as integer) as quantity,
                    cast((100 + hash(i * 13) % 50000) / 100 as decimal(10, 2)) as unit_price, 'CNY' as currency_code,
                    'C' || lpad(cast(1 + hash(i // 3 + 5) % 200000 as varchar), 7, '0') as customer_id,
                    'E' || lpad(cast(1 + hash(i // 3 + 9) % 600 as varchar), 5, '0') as employee_id,
                    if(hash(i // 3 + 2) % 4 = 0, 'web', 'store') as channel,
                    if(hash(i * 3) % 5 = 0, cast((hash(i * 17) % 1000) / 100 as decimal(10, 2)), null) as discount_amount
                from range({first}, {first + rows}) as t(i)
            ) to '{path}' (header, delimiter ',')
            """
        )


def load_with_duckdb(folder: Path) -> dict[str, float]:
    """Read the same file into a table of a file of its own, with typed columns and nothing detected."""
    (source,) = (folder / "extracts/sales/order_lines").glob("*.csv")
    target = folder / "plain.duckdb"
    target.unlink(missing_ok=True)
    started = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"attach '{target}' as plain (storage_version 'v1.4.0')")
    connection.execute(
        f"create table plain.order_lines as select * from read_csv('{source}', header = true, delim = ',', quote = '\"', "
        f"auto_detect = false, columns = {TYPES})"
    )
    connection.execute("detach plain")
    connection.close()
    return _measured(started)


def load_with_landing(folder: Path) -> dict[str, float]:
    """A whole ``land``: hash, account of records, checks, rows, books."""
    from orchestration.landing import land
    from orchestration.settings import ENVIRONMENTS, Company

    company = Company(folder, folder, "Benchmark", ENVIRONMENTS["dev"], "Asia/Shanghai", "CNY")
    started = time.perf_counter()
    report = land(company)
    found = _measured(started)
    return found | {"rows": report.rows_landed, "refused": report.rows_quarantined, "files": report.files_seen}


def _measured(started: float) -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def measure(what: str, folder: Path) -> dict[str, float]:
    """One measurement in a process of its own."""
    output = subprocess.run(
        [sys.executable, __file__, "--step", what, "--folder", str(folder)], check=True, capture_output=True
    )
    return dict(json.loads(output.stdout))


def main() -> None:
    """Write the files, measure, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--files", type=int, default=2_000, help="files of the night without news")
    parser.add_argument("--alone", action="store_true", help="landing only, for its memory")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=["duckdb", "landing"])
    options = parser.parse_args()
    if options.step:
        step = load_with_duckdb if options.step == "duckdb" else load_with_landing
        print(json.dumps(step(options.folder)))
        return
    parent = options.folder or Path(tempfile.gettempdir())
    needed = options.rows * 150
    if (free := shutil.disk_usage(parent).free) < needed:
        sys.exit(f"{parent}: {free >> 20} MB free, {needed >> 20} MB needed")
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        lines = folder / "extracts/sales/order_lines"
        lines.mkdir(parents=True)
        write_lines(lines / "order_lines_2026-10-31.csv", 0, options.rows)
        size = (lines / "order_lines_2026-10-31.csv").stat().st_size
        print(f"machine: {os.cpu_count()} cores; file: {options.rows:,} lines, {size / 1e6:,.0f} MB")
        found: dict[str, list[dict[str, float]]] = {"duckdb": [], "landing": []}
        for _ in range(options.runs):
            for what in ["landing"] if options.alone else ["duckdb", "landing"]:
                shutil.rmtree(folder / "warehouse", ignore_errors=True)
                found[what].append(measure(what, folder))
                print(what, {key: round(value, 1) for key, value in found[what][-1].items()}, flush=True)
        if not options.alone:
            for key in ("seconds", "cpu_seconds"):
                ours, theirs = (statistics.median(run[key] for run in found[w]) for w in ("landing", "duckdb"))
                print(f"{key}: landing {ours:.1f}, read_csv {theirs:.1f}, ratio {ours / theirs:.2f}")
        peak = max(run["peak_mb"] for run in found["landing"])
        print(f"peak memory of landing: {peak:,.0f} MB")
        if not options.alone:
            shutil.rmtree(folder / "extracts")
            shutil.rmtree(folder / "warehouse")
            lines.mkdir(parents=True)
            for number in range(options.files):
                write_lines(lines / f"order_lines_{number:05d}_2026-10-31.csv", number * 50, 50)
            first = measure("landing", folder)
            night = statistics.median(measure("landing", folder)["seconds"] for _ in range(3))
            print(f"{options.files:,} files: first night {first['seconds']:.2f} s, a night without news {night:.3f} s")


if __name__ == "__main__":
    main()
