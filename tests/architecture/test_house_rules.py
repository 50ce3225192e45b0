"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from orchestration.publishing.candidate import INCENTIVES_SCHEMAS, MARTS_SCHEMAS
from orchestration.settings import PROJECT_DIR

SQL_FILES = sorted(
    path for folder in ("models", "macros", "tests/dbt") for path in (PROJECT_DIR / folder).rglob("*.sql")
)
MODELS = [path for path in SQL_FILES if path.is_relative_to(PROJECT_DIR / "models")]


def test_there_are_models_to_look_at() -> None:
    assert len(MODELS) > 40


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: str(path.relative_to(PROJECT_DIR)))
def test_sql_is_at_most_100_wide(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 100] == []


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_no_model_reads_the_clock_or_an_engines_own_functions(path: Path) -> None:
    """The night's day comes from control.night; what only one engine knows stands in macros/engine."""
    text = re.sub(r"--.*", "", path.read_text(encoding="utf-8")).lower()
    for word in (
        "current_date",
        "current_timestamp",
        "now()",
        "today()",
        "read_csv",
        "epoch(",
        "unnest(",
        "arg_max",
        "list_",
    ):
        assert word not in text, word


def test_every_schema_of_the_marts_goes_into_exactly_one_file() -> None:
    project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    folders = project["models"]["customer_scorecard"]["marts"]
    schemas = {folder["+schema"] for folder in folders.values() if isinstance(folder, dict) and "+schema" in folder}
    assert schemas <= set(MARTS_SCHEMAS) | set(INCENTIVES_SCHEMAS)
    assert not set(MARTS_SCHEMAS) & set(INCENTIVES_SCHEMAS)
    assert {path.parent.name for path in MODELS if "marts" in path.parts} <= schemas


def test_no_column_of_the_marts_is_one_the_contract_tags_as_contact_or_pay() -> None:
    tagged = set()
    for path in (PROJECT_DIR / "models" / "staging").rglob("_*__sources.yml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                for column in table.get("columns", []):
                    if {"contact", "pay"} & set(column.get("config", {}).get("tags", [])):
                        tagged.add(column["name"])
    assert {"full_name", "email", "contact", "salary_amount"} <= tagged
    for path in (PROJECT_DIR / "models" / "marts").glob("*/_*__models.yml"):
        if path.parent.name in INCENTIVES_SCHEMAS:
            continue
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            assert not tagged & {column["name"] for column in model["columns"]}, model["name"]


def test_definitions_are_a_few_lines() -> None:
    lines = (PROJECT_DIR / "orchestration" / "definitions.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 15


def test_pay_and_points_are_decimals_or_whole_numbers_in_every_contract() -> None:
    statistics = {"ci_low", "ci_high"}
    looked_at = 0
    for folder in ("incentive", "scorecard"):
        for path in (PROJECT_DIR / "models" / "marts" / folder).glob("_*__models.yml"):
            for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                for column in model["columns"]:
                    looked_at += 1
                    floating = re.match(r"double|float|real", column["data_type"], re.IGNORECASE)
                    assert not floating or column["name"] in statistics, f"{model['name']}.{column['name']}"
    assert looked_at > 100
