"""A company with a published release of a few statements, made without a night: the ledger reads releases only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.checks import CheckResult, Scope, save_results
from expectations.gate import gate_check_names
from orchestration.ledger import operations
from orchestration.ledger.basis import Basis
from orchestration.ledger.chain import Head
from orchestration.ledger.frozen import Frozen
from orchestration.ledger.periods import PeriodKey
from orchestration.ledger.store import read_noted_head
from orchestration.ledger.warehouse_tables import published_columns
from orchestration.publishing.candidate import Candidate, candidates_dir
from orchestration.publishing.release import publish
from orchestration.publishing.seal import checks_dir, record_checked_file, seal
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import WRITER, copy_company

MAY = PeriodKey("month", date(2026, 5, 1))
JUNE = PeriodKey("month", date(2026, 6, 1))
JULY = PeriodKey("month", date(2026, 7, 1))
_ENDS = {MAY: date(2026, 6, 1), JUNE: date(2026, 7, 1), JULY: date(2026, 8, 1)}
_ADJUSTMENT_COLUMNS = (
    "adjustment_id varchar, statement_id varchar, line_key varchar, employee_id varchar, plan_code varchar, "
    "period_type varchar, corrected_period_start date, posted_period_start date, adjustment_type varchar, "
    "amount decimal(18, 2), currency_code varchar, reason varchar, approved_by varchar"
)


def statement_id(employee_id: str, key: PeriodKey) -> str:
    return f"{employee_id}|sales_month|{key.period_start}|1"


@dataclass
class Shop:
    """Releases of a company: what everybody earns per period, and the adjustments that are published."""

    company: Company
    amounts: dict[PeriodKey, dict[str, str]]
    as_of: date = date(2026, 7, 15)
    adjustments: list[dict[str, Any]] = field(default_factory=list)
    doubted: dict[str, PeriodKey] = field(default_factory=dict)
    published: int = 0

    def publish(self, red: bool = False) -> None:
        """Publish a release; with ``red``, one whose incentives did not pass."""
        self.published += 1
        release_id = f"r{self.published:03d}"
        candidate = Candidate(
            release_id=release_id,
            folder=candidates_dir(self.company) / release_id,
            as_of=self.as_of,
            run_id="run",
            code_version="code",
            policy_hash="policy",
            inputs_hash=f"inputs{self.published}",
            built_at=datetime(2026, 7, 16),
            ledger_head=read_noted_head(self.company) or Head(),
        )
        candidate.folder.mkdir(parents=True)
        self._write_marts(candidate.marts_path)
        self._write_incentives(candidate.incentives_path)
        required: dict[Scope, set[str]] = {scope: gate_check_names(scope) for scope in ("marts", "incentives")}
        for scope, names in required.items():
            results = [CheckResult(n, scope, "t", "rule", 1, 1, 0, "1", None, True, "") for n in sorted(names)]
            if red and scope == "incentives":
                results = results[1:]
            save_results(checks_dir(self.company, release_id) / f"{scope}.jsonl", results)
        for path in (candidate.marts_path, candidate.incentives_path):
            record_checked_file(self.company, release_id, path)
        seal(self.company, candidate, required, WRITER)
        publish(self.company, candidate)

    def _write_marts(self, path: Path) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema core")
            people = sorted({employee for amounts in self.amounts.values() for employee in amounts} | {"E9"})
            connection.execute("create table core.employees (employee_id varchar)")
            for employee in people:
                connection.execute("insert into core.employees values (?)", [employee])

    def _write_incentives(self, path: Path) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema incentive")
            for table in ("statements", "statement_lines"):
                columns = ", ".join(f'"{name}" {kind}' for name, kind in published_columns(table).items())
                connection.execute(f"create table incentive.{table} ({columns})")
            connection.execute(f"create table incentive.adjustments ({_ADJUSTMENT_COLUMNS})")
            connection.execute(
                "create table incentive.holds (hold_id varchar, employee_id varchar, period_type varchar, "
                "period_start date, reason varchar, held_by varchar, is_held boolean)"
            )
            for employee, key in self.doubted.items():
                row = [f"gate:{employee}", employee, key.period_type, key.period_start, "doubted", "gate", True]
                connection.execute("insert into incentive.holds values (?, ?, ?, ?, ?, ?, ?)", row)
            for key, amounts in self.amounts.items():
                for employee, amount in amounts.items():
                    self._write_statement(connection, key, employee, amount)
            for row in self.adjustments:
                names = ", ".join(row)
                marks = ", ".join("?" for _ in row)
                connection.execute(f"insert into incentive.adjustments ({names}) values ({marks})", list(row.values()))

    def _write_statement(
        self, connection: duckdb.DuckDBPyConnection, key: PeriodKey, employee: str, amount: str
    ) -> None:
        row = {
            "statement_id": statement_id(employee, key), "employee_id": employee, "plan_code": "sales_month",
            "period_type": key.period_type, "period_start": key.period_start, "period_end": _ENDS[key],
            "is_complete": _ENDS[key] <= self.as_of, "part_no": 1, "part_start": key.period_start,
            "part_end": _ENDS[key], "job_role": "sales_associate", "store_id": "S001", "department_code": "sales",
            "worked_days": "30", "period_days": 30, "gross_amount": "1000", "score": "95.5", "payout_factor": "0.9",
            "gate_measure_code": "csat", "gate_status": "shut", "amount": amount, "currency_code": "CNY",
        }  # fmt: skip
        _insert(connection, "statements", row)
        lines = [
            {
                "line_no": 1, "line_type": "measure", "measure_code": "csat", "measured_level": "store",
                "measured_entity_id": "S001", "status": "scored", "value": "0.8", "n": 40, "ci_low": 0.65,
                "ci_high": 0.9, "target": "0.75", "points": "106.6", "weight": "0.4", "effective_weight": "0.4",
                "amount": amount,
            },
            {"line_no": 2, "line_type": "gate", "measure_code": "csat", "status": "shut", "amount": "0"},
        ]  # fmt: skip
        for line in lines:
            _insert(connection, "statement_lines", {"statement_id": statement_id(employee, key), **line})


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]) -> None:
    known = {name: value for name, value in row.items() if name in published_columns(table)}
    if table == "statement_lines" and "line_key" in published_columns(table):
        known["line_key"] = str(row["line_no"])
    marks = ", ".join("?" for _ in known)
    connection.execute(f"insert into incentive.{table} ({', '.join(known)}) values ({marks})", list(known.values()))


def keep_little(company: Company, basis: Basis) -> Frozen:
    return Frozen({"time_zone": "UTC"}, {"project/model.sql": b"select 1", "inputs/a.b": basis.statements.to_bytes()})


def believe(company: Company, basis: Basis, frozen: Frozen) -> None:
    """What rebuilding proves is tested on real nights."""


def close_period(company: Company, key: PeriodKey) -> None:
    operations.calculate(company, key, "Ann")
    operations.approve(company, key, "Bob")
    operations.close(company, key, "Cem", keep_little, believe)


def open_shop(folder: Path) -> Shop:
    """May and June are over, July is not."""
    company = copy_company(PROJECT_DIR, folder)
    shop = Shop(
        company,
        {
            MAY: {"E1": "100.00", "E2": "50.50"},
            JUNE: {"E1": "110.00", "E2": "0.00", "E3": "7.77"},
            JULY: {"E1": "20.00"},
        },
    )
    shop.publish()
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "company")


def run_code(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python process of its own with the project on its path."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("SCORECARD_")} | {"PYTHONPATH": str(PROJECT_DIR)},
    )


def was_killed(process: subprocess.Popen[str]) -> bool:
    return process.returncode == -signal.SIGKILL
