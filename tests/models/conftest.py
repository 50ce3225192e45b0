"""A warehouse with every table of the project and no rows, for tests that put their own rows between the layers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest

from orchestration.functions.plugin import register
from orchestration.landing import land
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.settings import PROJECT_DIR, Company
from orchestration.transform import run_dbt
from orchestration.value.published import keep_published_value
from tests.conftest import copy_company

Rows = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Bench:
    """A company whose tables are there and empty."""

    company: Company

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.company.warehouse_path))
        register(connection)
        return connection

    def fill(self, table: str, columns: str, rows: Rows) -> None:
        """Replace the rows of a table."""
        with self.connect() as connection:
            connection.execute(f"delete from {table}")
            if rows:
                marks = ", ".join("?" for _ in rows[0])
                connection.executemany(f"insert into {table} ({columns}) values ({marks})", [list(row) for row in rows])

    def dbt(self, *command: str) -> None:
        dbt(self.company, *command)


def dbt(company: Company, *command: str) -> None:
    """Run dbt on the company's warehouse; everything must succeed."""
    result = run_dbt(company, *command)
    assert result.success, (result.exception, [str(r.message) for r in getattr(result.result, "results", [])])


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Company:
    company = copy_company(PROJECT_DIR, tmp_path_factory.mktemp("models") / "company")
    company.extracts_dir.mkdir(parents=True)
    land(company)
    with duckdb.connect(str(company.warehouse_path)) as connection:
        connection.execute("create schema if not exists control")
        connection.execute("create table control.night as select date '2026-03-31' as as_of, "
            "timestamp '2026-03-31 16:00:00' as known_until, 'one' as code_version")
        write_ledger_tables(company, connection)
        keep_published_value(connection, company)
    dbt(company, "seed")
    dbt(company, "run", "--empty")
    return company


@pytest.fixture
def bench(empty_warehouse: Company, tmp_path: Path) -> Bench:
    """A copy of the empty warehouse for one test."""
    return new_bench(empty_warehouse, tmp_path / "company")


def new_bench(source: Company, target: Path) -> Bench:
    """The same company with data of its own: dbt need not parse the project again."""
    company = replace(source, data_dir=target)
    company.state_dir.mkdir(parents=True)
    shutil.copy(source.warehouse_path, company.warehouse_path)
    shutil.copytree(source.dbt_target_dir, company.dbt_target_dir)
    return Bench(company)


@pytest.fixture(scope="session")
def model_sql(empty_warehouse: Company) -> Callable[[str], str]:
    """The SQL of a model as dbt ran it."""
    compiled = empty_warehouse.dbt_target_dir / "compiled" / "customer_scorecard" / "models"
    dbt(empty_warehouse, "compile", "--select", "int_kpis_estimated", "int_kpis_shrunken")

    def read(model: str) -> str:
        (path,) = compiled.rglob(f"{model}.sql")
        return path.read_text(encoding="utf-8")

    assert os.path.isdir(compiled)
    return read
