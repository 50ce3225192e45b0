"""Hostile cells of seeds are text wherever text may stand, and refused with seed and line wherever it may not."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from expectations.policy import PolicyError, check_policy
from orchestration.settings import PROJECT_DIR, Company
from orchestration.transform import run_dbt
from tests.conftest import copy_company

NASTY = [
    "'; drop table mappings.leave_types; --", '"; select 1', "{{ env_var('HOME') }}", "{% raw %}", "{# note",
    "=cmd|' /C calc'!A0", "../../etc/passwd", "read_text('/etc/passwd')", "$(id)", "[/red]", "a\x07\x1b[31mb",
    "a\u2028b\x0bc\x85d", "line\nbreak", 'q"u,o', "x" * 100_000,
]  # fmt: skip


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def add_rows(company: Company, seed: str, rows: Iterable[list[str]]) -> list[int]:
    """Append rows to a seed; returns the lines on which they begin."""
    path = company.seeds_dir / f"{seed}.csv"
    begun = []
    for row in rows:
        begun.append(path.read_text(encoding="utf-8").count("\n") + 1)
        with path.open("a", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow(row)
    return begun


def test_hostile_names_and_reasons_reach_the_warehouse_as_they_are(company: Company, tmp_path: Path) -> None:
    add_rows(company, "mappings/leave_types", ([text, "true", "2025-01-01", "", text, text] for text in NASTY))
    check_policy(company)
    company.state_dir.mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if company.state_dir not in path.parents}
    result = run_dbt(company, "seed", "--select", "leave_types", "measures")
    assert result.success, result.exception
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if company.state_dir not in path.parents}
    assert after.keys() == before.keys()
    assert {path for path in after if path.is_file() and after[path] != before[path]} == set()
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        found = connection.execute("select leave_type, approved_by, reason from mappings.leave_types").fetchall()
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() order by all"
        ).fetchall()
    assert {row for row in found if row[0] in NASTY} == {(text, text, text) for text in NASTY}
    assert tables == [("mappings.leave_types",), ("policy.measures",)]


@pytest.mark.parametrize(
    ("seed", "row"),
    [
        ("mappings/leave_types", ["unknown", "{}", "2025-01-01", "", "board", "x"]),
        ("mappings/leave_types", ["unknown", "true", "{}", "", "board", "x"]),
        ("mappings/ticket_reasons", ["unknown", "{}", "2025-01-01", "", "board", "x"]),
        ("policy/journey_settings", ["{}", "1", "2025-01-01", "", "board", "x"]),
        ("policy/journey_settings", ["gap_days", "{}", "2025-01-01", "", "board", "x"]),
    ],
)
def test_a_hostile_cell_where_no_text_may_stand_is_refused(company: Company, seed: str, row: list[str]) -> None:
    lines = add_rows(company, seed, ([text if cell == "{}" else cell for cell in row] for text in NASTY))
    with pytest.raises(PolicyError) as error:
        check_policy(company)
    assert {(problem.seed, problem.line) for problem in error.value.problems} == {(seed, line) for line in lines}


def test_a_cell_beyond_all_measure_is_refused(company: Company) -> None:
    (line,) = add_rows(company, "mappings/leave_types", [["x" * 10_000_000, "true", "2025-01-01", "", "board", "x"]])
    with pytest.raises(PolicyError, match=rf"mappings/leave_types\.csv line {line}: not readable as CSV: field larger"):
        check_policy(company)
