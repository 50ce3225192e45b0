"""What a refresh within the day builds and checks fits together, whatever models are added."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from expectations.gate import RULES, refresh_check_names
from orchestration.refreshing import REFRESHED_TABLES, refresh_plan
from orchestration.settings import PROJECT_DIR
from orchestration.transform import parse
from tests.conftest import copy_company


def test_no_check_of_a_refresh_reads_a_survey_table_that_it_leaves_to_the_night(tmp_path: Path) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    nodes = json.loads(parse(company).read_text(encoding="utf-8"))["nodes"]
    plan = refresh_plan(company)
    assert {"int_answers_scored", "feedback_cases", "int_scorecards_totalled"} <= set(plan.models)
    assert not [name for name in plan.models if "incentive" in name or "statement" in name]

    children: defaultdict[str, set[str]] = defaultdict(set)
    for key, node in nodes.items():
        for parent in node["depends_on"].get("nodes", ()):
            children[parent].add(key)
    below, waiting = set(), ["source.customer_scorecard.survey.answers"]
    while waiting:
        found = children[waiting.pop()] - below
        below |= found
        waiting += found
    models = {key for key in below if nodes[key]["resource_type"] == "model"}
    views = {key for key in models if nodes[key]["config"]["materialized"] == "view"}
    stale = {key for key in models - views if nodes[key]["name"] not in plan.models}
    assert {nodes[key]["name"] for key in stale} >= {"int_customers_fatigued", "int_employees_contacts_screened"}
    while of_them := {key for key in views - stale if stale & set(nodes[key]["depends_on"]["nodes"])}:
        stale |= of_them
    assert not {
        test: nodes[test]["depends_on"]["nodes"]
        for test in plan.tests
        if stale & set(nodes[test]["depends_on"]["nodes"])
    }


def test_what_a_rule_asks_of_the_published_file_is_not_asked_of_the_warehouse_too(tmp_path: Path) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    nodes = json.loads(parse(company).read_text(encoding="utf-8"))["nodes"]
    plan = refresh_plan(company)
    assert set(plan.by_rule.values()) == {"kpi_results.are_there_once", "survey_answers.are_there_once"}
    assert not plan.by_rule.keys() & plan.tests.keys()
    rules = {rule.name: rule for rule in RULES["marts"]}
    for test, name in plan.by_rule.items():
        keys = ", ".join(nodes[test]["test_metadata"]["kwargs"]["combination_of_columns"])
        table = nodes[nodes[test]["attached_node"]]
        assert nodes[test]["test_metadata"]["name"] == "unique_combination_of_columns"
        assert f"marts.{table['schema']}.{table['name']}" in rules[name].sql
        assert f"group by {keys} having count(*) > 1" in rules[name].sql


def test_only_what_the_changed_extracts_reach_is_built_and_tested(tmp_path: Path) -> None:
    company = copy_company(PROJECT_DIR, tmp_path / "company")
    parse(company)
    whole, outcomes = refresh_plan(company), refresh_plan(company, {("service", "case_outcomes")})
    assert "feedback_cases" in outcomes.models and "int_answers_scored" not in outcomes.models
    assert set(outcomes.models) < set(whole.models)
    assert outcomes.tests.keys() < whole.tests.keys()


def test_rules_that_read_a_refreshed_table_run_again_and_no_others() -> None:
    again = refresh_check_names(REFRESHED_TABLES)
    assert {
        "survey_answers.rows_reconcile_with_raw",
        "feedback_cases.have_owner_and_time",
        "scorecards.rows_are_sound",
    } <= again
    for rule in RULES["marts"]:
        reads = {".".join(found) for found in re.findall(r"\bmarts\.(\w+)\.(\w+)", rule.sql)}
        assert (rule.name in again) == bool(reads & REFRESHED_TABLES), rule.name
