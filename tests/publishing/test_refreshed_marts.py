"""What a refresh within the day writes into the release that it starts from: whole tables, or the touched partitions."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.publishing.candidate import (
    Candidate,
    begin_refreshed_marts,
    candidates_dir,
    write_refreshed_marts,
)
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import WRITER, copy_company

KEYS = ["period_type", "period_start"]
RESULTS = "period_type varchar, period_start date, entity_id varchar, value integer"


def _model(schema: str, name: str, folder: str, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "resource_type": "model", "schema": schema, "alias": name, "name": name, "fqn": ["customer_scorecard", folder, name],
        "description": f"All of {name}.", "columns": {}, "config": {"meta": meta or {}},
    }  # fmt: skip


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company whose manifest knows one table that is patched, one that is written whole, and the list of what is touched."""
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    nodes = [
        _model("kpi", "kpi_results", "marts", {"patched_by": "int_kpi_periods_touched", "partition": KEYS}),
        _model("kpi", "integrity_flags", "marts"),
        _model("intermediate", "int_kpi_periods_touched", "intermediate"),
    ]
    company.dbt_target_dir.mkdir(parents=True)
    manifest = {"nodes": {node["name"]: node for node in nodes}, "sources": {}}
    (company.dbt_target_dir / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with duckdb.connect(str(company.warehouse_path)) as warehouse:
        warehouse.execute(f"""
            create schema kpi;
            create schema intermediate;
            create table kpi.kpi_results ({RESULTS});
            insert into kpi.kpi_results values
                ('day', '2026-05-31', 'a', 2), ('day', '2026-06-01', 'a', 2), ('day', '2026-06-02', 'b', 2),
                ('month', '2026-06-01', 'a', 2);
            create table kpi.integrity_flags as select 2 as value;
            create table intermediate.int_kpi_periods_touched (period_type varchar, period_start date, period_stamp integer);
        """)
    return company


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    path = tmp_path / "standing.duckdb"
    with duckdb.connect(str(path)) as release:
        release.execute(f"""
            create schema kpi;
            create table kpi.kpi_results ({RESULTS});
            comment on table kpi.kpi_results is 'All of kpi_results.';
            insert into kpi.kpi_results values
                ('day', '2026-05-31', 'a', 1), ('day', '2026-06-01', 'a', 1), ('day', '2026-06-01', 'gone', 1),
                ('month', '2026-06-01', 'a', 1), ('quarter', '2026-06-01', 'a', 1);
            create table kpi.integrity_flags as select 1 as value;
        """)
    return path


def a_candidate(company: Company, release_id: str) -> Candidate:
    folder = candidates_dir(company) / release_id
    return Candidate(release_id, folder, date(2026, 6, 2), "run", "code", "policy", "inputs", datetime.now(UTC))


def _refreshed(company: Company, standing: Path, touched: str, tables: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    if touched:
        with duckdb.connect(str(company.warehouse_path)) as warehouse:
            warehouse.execute(f"insert into intermediate.int_kpi_periods_touched values {touched}")
    candidate = a_candidate(company, "one")
    begin_refreshed_marts(company, candidate, standing)
    write_refreshed_marts(company, candidate, tables, WRITER)
    with duckdb.connect(str(candidate.marts_path), read_only=True) as release:
        comments = release.execute("select comment from duckdb_tables() where table_name = 'kpi_results'").fetchall()
        assert comments == [("All of kpi_results.",)]
        return {
            table: release.execute(f"select * from kpi.{table} order by all").fetchall()
            for table in ("kpi_results", "integrity_flags")
        }


def test_touched_partitions_are_replaced_and_no_others_are_read(company: Company, standing: Path) -> None:
    touched = "('day', '2026-06-01', 1), ('day', '2026-06-02', 1), ('quarter', '2026-06-01', null)"
    found = _refreshed(company, standing, touched, {"kpi.kpi_results", "kpi.integrity_flags"})
    assert found["kpi_results"] == [
        ("day", date(2026, 5, 31), "a", 1),
        ("day", date(2026, 6, 1), "a", 2),
        ("day", date(2026, 6, 2), "b", 2),
        ("month", date(2026, 6, 1), "a", 1),
    ]
    assert found["integrity_flags"] == [(2,)]


def test_nothing_touched_leaves_the_table_and_what_is_not_refreshed_stands(company: Company, standing: Path) -> None:
    with duckdb.connect(str(standing), read_only=True) as release:
        before = release.execute("select * from kpi.kpi_results order by all").fetchall()
    assert _refreshed(company, standing, "", {"kpi.kpi_results"}) == {"kpi_results": before, "integrity_flags": [(1,)]}
