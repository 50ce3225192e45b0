"""The rows behind failed checks: they name people and pay, so they stay with the owner of the warehouse and never enter a
release, a log or an alert.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from expectations.rules import FailingRows
from orchestration.settings import Company

_NIGHTS_KEPT = 14


def failing_rows_dir(company: Company) -> Path:
    """One folder per release that had failures, readable by its owner only."""
    return company.state_dir / "failing_rows"


def save_failing_rows(company: Company, release_id: str, found: Sequence[FailingRows]) -> None:
    """Write one CSV per failed rule; the folders of older nights go."""
    if not found:
        return
    folder = failing_rows_dir(company) / release_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for rows in found:
        descriptor = os.open(folder / f"{rows.rule_name}.csv", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(rows.columns)
            writer.writerows(rows.rows)
    for old in sorted(failing_rows_dir(company).iterdir(), key=lambda path: path.name)[:-_NIGHTS_KEPT]:
        shutil.rmtree(old)


def read_failing_rows(company: Company, release_id: str, rule_name: str) -> list[list[str]]:
    """The rows saved for one rule, the header first; empty when there are none."""
    path = failing_rows_dir(company) / release_id / f"{rule_name}.csv"
    if path.parent.parent != failing_rows_dir(company) or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))
