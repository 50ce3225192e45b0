"""Moments: an offset is honoured, naive text is the company's local time; both are stored in UTC."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.landing import land
from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T16:35:33+08:00", datetime(2026, 1, 31, 8, 35, 33)),
        ("2026-01-31 16:35:33+0800", datetime(2026, 1, 31, 8, 35, 33)),
        ("2026-01-31T08:35:33Z", datetime(2026, 1, 31, 8, 35, 33)),
        ("2026-01-31T03:35:33-05:00", datetime(2026, 1, 31, 8, 35, 33)),
        ("2026-01-31 16:35:33", datetime(2026, 1, 31, 8, 35, 33)),
    ],
)
def test_a_moment_is_stored_in_utc_whatever_form_it_comes_in(tmp_path: Path, text: str, expected: datetime) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    folder = company.extracts_dir / "survey" / "responses"
    folder.mkdir(parents=True)
    (folder / "responses_2026-02-01.csv").write_text(
        f"response_id,survey_code,channel,submitted_at\nA1,store_visit,qr,{text}\n", encoding="utf-8"
    )
    assert land(company).rows_landed == 1
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        assert connection.execute("select submitted_at from raw.survey__responses").fetchall() == [(expected,)]
