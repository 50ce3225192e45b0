"""The sensor of the day asks once for every change of the survey's files, and for nothing else."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.defs.within_the_day import build_refresh
from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company


def test_a_new_survey_file_asks_for_one_refresh_and_a_sale_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    monkeypatch.setenv("SCORECARD_COMPANY", str(company.folder))
    _, sensor = build_refresh()
    cursor: str | None = None

    def asked() -> int:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor) as context:
            data = sensor.evaluate_tick(context)
            cursor = data.cursor
            return len(data.run_requests or [])

    def deliver(extract: str, name: str, content: str) -> None:
        path = company.extracts_dir / extract / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    deliver("survey/answers", "answers_2026-05-01.csv", "response_id,question_code,score\n")
    assert asked() == 1
    assert asked() == 0
    deliver("sales/order_lines", "order_lines_2026-05-01.csv", "order_id\n")
    assert asked() == 0
    deliver("survey/answers", "answers_2026-05-01.csv", "response_id,question_code,score\nR1,nps,9\n")
    assert asked() == 1
    deliver("service/case_outcomes", "outcomes_2026-05-01.csv", "case_id,handled_at,outcome_code\n")
    assert asked() == 1
    assert asked() == 0
