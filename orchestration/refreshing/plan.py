"""What a refresh builds and tests again: the tables between the survey's extracts and those that it publishes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from expectations.dbt_checks import compiled_test_path
from expectations.gate import refresh_check_names
from orchestration.manifest import read_manifest
from orchestration.settings import Company
from orchestration.transform import INCENTIVES_TAG

REFRESHED_TABLES = frozenset({
    "core.survey_responses", "core.survey_answers", "kpi.kpi_results", "kpi.integrity_effects",
    "voice.feedback_cases", "voice.feedback_topics", "voice.response_funnel",
    "scorecard.scorecards", "scorecard.scorecard_lines", "scorecard.scorecard_domains",
    "meta.landed_files", "meta.rejected_rows",
})  # fmt: skip
SURVEY_EXTRACTS = {
    ("survey", "invitations"),
    ("survey", "responses"),
    ("survey", "answers"),
    ("service", "case_outcomes"),
}
# Downstream of the survey only because the calendar is: what customers bought does not change before the night. Journeys
# and what they say of departments are the night's too.
_LEFT_TO_THE_NIGHT = {
    "int_loyalty_counted", "int_repurchases_counted", "int_customer_values_counted", "int_periods_reopened",
}  # fmt: skip
_LEFT_FOLDERS = {"customers", "value", "journeys", "journey", "incentives", "incentive"}


@dataclass(frozen=True)
class RefreshPlan:
    """Names of the models that dbt builds, and the tests that must pass on them, by unique id, with their SQL. ``by_rule`` are
    those that a rule of the gate, by its name, asks of the file that is published: not asked twice.
    """

    models: tuple[str, ...]
    tests: dict[str, Path]
    by_rule: dict[str, str]


def refresh_plan(company: Company, changed: Set[tuple[str, str]] = frozenset(SURVEY_EXTRACTS)) -> RefreshPlan:
    """The tables between the changed extracts and ``REFRESHED_TABLES``, and every data test that reads any of them or of
    the views on them. Unit tests look at the code, which is the night's. Cases are judged anew whatever has changed.
    """
    manifest = read_manifest(company)
    nodes = manifest["nodes"]
    parents = {key: node["depends_on"].get("nodes", []) for key, node in nodes.items()}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for key, node_parents in parents.items():
        for parent in node_parents:
            children[parent].append(key)
    roots = [key for key, source in manifest["sources"].items() if (source["source_name"], source["name"]) in changed]
    ends = [
        key for key, node in nodes.items()
        if node["resource_type"] == "model" and f"{node['schema']}.{node['alias']}" in REFRESHED_TABLES
    ]  # fmt: skip
    cases = {key for key in ends if nodes[key]["name"] == "feedback_cases"}
    between = (_reach(roots, children) & (_reach(ends, parents) | set(ends))) | cases
    models = {
        key
        for key in between
        if nodes[key]["resource_type"] == "model"
        and INCENTIVES_TAG not in nodes[key]["tags"]
        and nodes[key]["name"] not in _LEFT_TO_THE_NIGHT
        and not _LEFT_FOLDERS & set(nodes[key]["fqn"])
    }
    tagged = {key for key, node in nodes.items() if INCENTIVES_TAG in node["tags"]}
    tests = {
        key
        for key, node in nodes.items()
        if node["resource_type"] == "test" and models & set(parents[key]) and not tagged & {key, *parents[key]}
    }
    tables = sorted(nodes[key]["name"] for key in models if nodes[key]["config"]["materialized"] != "view")
    rules = {key: nodes[key]["config"]["meta"].get("same_as_rule") for key in tests}
    by_rule = {key: rule for key, rule in rules.items() if rule in refresh_check_names(REFRESHED_TABLES)}
    return RefreshPlan(
        tuple(tables),
        {key: compiled_test_path(nodes[key], company.dbt_target_dir) for key in tests - by_rule.keys()},
        by_rule,
    )


def _reach(starts: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for key in edges.get(waiting.pop(), ()):
            if key not in found:
                found.add(key)
                waiting.append(key)
    return found
