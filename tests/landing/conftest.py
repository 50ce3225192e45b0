"""A company in a temporary folder, and shorthands to deliver files to it and look into its warehouse."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.landing import LandingReport, land
from orchestration.settings import ENVIRONMENTS, Company

RETURNS_HEADER = "return_id,order_id,line_no,returned_at,quantity,refund_amount,reason_code"


@dataclass
class Shop:
    """One company under test."""

    company: Company

    def deliver(self, name: str, content: str | bytes, mtime: float | None = None) -> Path:
        """Write a file below the extracts folder; ``mtime`` in seconds since 1970."""
        path = self.company.extracts_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def returns(self, name: str, *rows: str, mtime: float | None = None) -> Path:
        """Deliver ``sales/returns/<name>`` with the canonical header."""
        return self.deliver(f"sales/returns/{name}", "\n".join([RETURNS_HEADER, *rows]) + "\n", mtime)

    def land(self) -> LandingReport:
        """Land what lies there."""
        return land(self.company)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the warehouse file."""
        with duckdb.connect(str(self.company.warehouse_path), read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def reconcile(self) -> None:
        """What always holds: per landed file, rows in raw and in quarantine are the file's rows."""
        for table, file_id, key, in_raw, rejected, total in self.rows(
            "select source_name || '__' || extract_name, file_id, delivery_key, raw_row_count, rejected_row_count, row_count "
            "from landing.files where status = 'landed'"
        ):
            assert in_raw + rejected == total
            counted = self.rows(
                f'select count(*) from raw."{table}" where _file_id = ? and _delivery_key = ?', file_id, key
            )
            assert counted == [(in_raw,)]
            assert self.rows(
                "select count(*) from landing.rejected_rows where file_id = ? and released_at is null", file_id
            ) == [(rejected,)]
        for (table,) in self.rows("select distinct table_name from duckdb_tables() where schema_name = 'raw'"):
            expected = self.rows(
                "select coalesce(sum(raw_row_count), 0) from landing.files where status = 'landed' and "
                "source_name || '__' || extract_name = ?",
                table,
            )
            assert self.rows(f'select count(*) from raw."{table}"') == expected


def make_company(folder: Path, time_zone: str = "Asia/Shanghai") -> Company:
    """A company whose data lie in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return Company(folder, folder, "Test", ENVIRONMENTS["dev"], time_zone, "CNY")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty company."""
    return Shop(make_company(tmp_path))


@pytest.fixture
def new_shop(tmp_path: Path) -> Callable[[str], Shop]:
    """Further companies, each by its own name."""
    return lambda name: Shop(make_company(tmp_path / name))
