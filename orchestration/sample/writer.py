"""Writes extract files with DuckDB's COPY, and lets a finished folder appear in one step."""

from __future__ import annotations

import csv
import fcntl
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from orchestration.sample.layout import Layout
from orchestration.sql_text import literal

PARTIAL_PREFIX = ".sample-partial-"


class ExtractWriter:
    """Writes files below one folder and counts rows and files."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.con = con
        self.folder = folder
        self.rows: Counter[str] = Counter()
        self.files: Counter[str] = Counter()

    def write(self, layout: Layout, query: str, delivered_on: date, part: str = "", *, ordered: bool = False) -> None:
        """One file with the rows of ``query`` (canonical column names); no file for no rows.

        ``ordered``: the query already returns the rows in the order of the layout.
        """
        path = self.folder / layout.path(delivered_on, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        order = "" if ordered else f" order by {', '.join(layout.sort)}"
        options = {
            "csv": "format csv, header",
            "csv.gz": "format csv, header, compression gzip",
            "parquet": "format parquet, compression zstd, row_group_size 122880",
        }[layout.suffix]
        select = f"select {layout.select_list()} from ({query}){order}"
        row = self.con.execute(f"copy ({select}) to {literal(str(path))} ({options})").fetchone()
        written = row[0] if row else 0
        if not written:
            path.unlink(missing_ok=True)
            return
        self.rows[layout.name] += written
        self.files[layout.name] += 1

    def flush(self, layout: Layout, table: str, before: date) -> None:
        """Write and drop the rows of an output table that are delivered before a day, one file per day and part."""
        self.con.execute(
            f"create or replace temp table batch as select * from {table} where delivered_on < $before "
            f"order by delivered_on, part, {', '.join(layout.sort)}",
            {"before": before},
        )
        self.con.execute(
            f"create or replace temp table {table} as select * from {table} where delivered_on >= $before",
            {"before": before},
        )
        parts = self.con.execute("select distinct delivered_on, part from batch order by delivered_on, part").fetchall()
        for delivered_on, part in parts:
            query = f"select * from batch where delivered_on = date '{delivered_on}' and part = '{part}'"
            self.write(layout, query, delivered_on, part, ordered=True)


def find_line(path: Path, key: dict[str, str]) -> int:
    """Physical line (header = 1) on which the last CSV row with these values starts.

    Raises:
        LookupError: no such row.

    """
    found = 0
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        ended = 1
        for row in reader:
            if all(row[column] == value for column, value in key.items()):
                found = ended + 1
            ended = reader.line_num
    if not found:
        raise LookupError(f"{path}: no row with {key}")
    return found


@contextmanager
def appearing_at_once(target: Path) -> Iterator[Path]:
    """A work folder whose subfolder ``extracts`` becomes ``target`` on success and vanishes on failure.

    A killed run leaves its work folder beside the target; the next run removes it, told from a live one's by its lock.

    Raises:
        FileExistsError: the target exists and is not an empty folder.

    """
    # A link to another disk stays a link: what it points at is what is replaced.
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target}: already holds extracts; the sample only goes into a new or empty folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f"{PARTIAL_PREFIX}*"):
        _remove_if_dead(leftover)
    work = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=target.parent))
    lock = os.open(work / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (work / "extracts").mkdir(mode=0o755)
        yield work
        os.replace(work / "extracts", target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _remove_if_dead(leftover: Path) -> None:
    try:
        lock = os.open(leftover / "lock", os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(leftover, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)
