"""A whole night of a published programme: every score as published."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.comparison import compare_with_published
from orchestration.mapping import write_mapped_extracts
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company, run_night

pytestmark = pytest.mark.xdist_group("hvbp_night")


@pytest.fixture(scope="module")
def data() -> Path:
    folder = PROJECT_DIR.parent / "shared" / "data" / "hvbp"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the programme's files are not part of the project")
    return folder


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Company:
    example = PROJECT_DIR / "examples" / "hvbp"
    company = copy_company(example, tmp_path_factory.mktemp("hvbp") / "company")
    (company.folder / "expected").symlink_to(example / "expected")
    write_mapped_extracts(company, data)
    run = run_night(company)
    assert run.exit_code == 0, run.output
    return company


def test_every_published_score_comes_out(company: Company, data: Path) -> None:
    results = {result.table: result for result in compare_with_published(company, data)}
    assert {table: result.examples for table, result in results.items() if result.different} == {}
    assert results["scorecard.scorecard_lines"].rows == 9928
    assert results["scorecard.scorecard_domains"].rows == results["scorecard.scorecards"].rows == 1241


def test_a_figure_that_differs_is_found(company: Company, data: Path, tmp_path: Path) -> None:
    for name in ("dimension_scores.csv", "domain_scores.csv"):
        (tmp_path / name).write_text((data / name).read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "domain_scores.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("13.500000000000", "13.500000000001", 1), encoding="utf-8")
    results = {result.table: result for result in compare_with_published(company, tmp_path)}
    assert results["scorecard.scorecards"].different == 1
    assert "expected 13.500000000001" in results["scorecard.scorecards"].examples[0]
