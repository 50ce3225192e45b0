"""A table of defects, each with the test of dbt that must find it: rows of a night's warehouse are changed, and the SQL that
the night ran for the test is run again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.dbt_checks import compiled_test_path, run_compiled_test
from orchestration.manifest import read_manifest
from orchestration.settings import PROJECT_DIR, Company
from orchestration.sql_text import attach
from tests.conftest import FirstNight

pytestmark = pytest.mark.xdist_group("sample_night")

TESTS_DIR = PROJECT_DIR / "tests" / "dbt"


@dataclass(frozen=True)
class Defect:
    """``sql`` changes the warehouse; ``found_by`` passed before and must return rows after."""

    what: str
    found_by: str
    sql: str


SINGULAR_DEFECTS = (
    Defect("somebody's commission is of sales that nobody made", "assert_commission_parts_add_up_to_the_revenue",
           """update intermediate_incentives.int_plan_parts_based
           set base_type = 'delivered_revenue_share', part_revenue = 100 where rowid = 0"""),
    Defect("sales are in nobody's commission", "assert_commission_parts_add_up_to_the_revenue",
           "update policy.incentive_plans set base_type = 'delivered_revenue_share'"),
    Defect("a promoter counts twice", "assert_answers_make_up_their_measures",
           """update intermediate.int_kpis_summed set favourable_count = favourable_count + 1, numerator = numerator + 1
           where measure_code = 'nps' and level = 'company' and period_type = 'month'"""),
    Defect("the customers of one store are worth nothing", "assert_customer_values_add_up_to_the_company",
           """delete from intermediate.int_customer_values_counted where measure_code = 'clv_12m' and level = 'store'
           and entity_id = (select min(entity_id) from intermediate.int_customer_values_counted where level = 'store')"""),
    Defect("a segment is worth twice as much", "assert_customer_values_add_up_to_the_company",
           """update intermediate.int_customer_values_counted set numerator = numerator * 2
           where measure_code = 'clv_12m' and level = 'segment'
           and entity_id = (select min(entity_id) from intermediate.int_customer_values_counted where level = 'segment')"""),
    Defect("a day of a store is lost", "assert_days_add_up_to_months_and_quarters",
           """delete from intermediate.int_kpis_summed where level = 'store' and period_type = 'day'
           and period_start = (select max(period_start) from intermediate.int_kpis_summed where period_type = 'day')"""),
    Defect("an answer counts twice for an employee's day", "assert_days_of_employees_are_as_counted",
           """update intermediate.int_kpis_estimated set n = n + 1 where level = 'employee' and period_type = 'day'
           and measure_code = 'csat' and not is_delivered"""),
    Defect("a store's month counts twice", "assert_levels_add_up_to_the_company",
           """update intermediate.int_kpis_summed set numerator = numerator * 2
           where measure_code = 'revenue' and level = 'store' and period_type = 'month'"""),
    Defect("a level has nothing of a measure", "assert_levels_add_up_to_the_company",
           "delete from intermediate.int_kpis_summed where measure_code = 'csat' and level = 'region'"),
    Defect("a share lies above its interval", "assert_values_lie_within_their_intervals",
           "update intermediate.int_kpis_estimated set ci_high = value - 0.01 where measure_code = 'csat' and value > 0"),
    Defect("a missing measure takes its weight along", "assert_effective_weights_add_up_to_1",
           "update intermediate.int_scorecard_lines_scored set effective_weight = effective_weight / 2 where status = 'scored'"),
    Defect("somebody has a score of nothing", "assert_effective_weights_add_up_to_1",
           """update intermediate.int_scorecards_totalled set score = 100 where rowid =
           (select min(rowid) from intermediate.int_scorecards_totalled where score is null)"""),
    Defect("a score is above all of its lines", "assert_scores_lie_within_their_curves",
           """update intermediate.int_scorecards_totalled set score = score + 200 where rowid =
           (select min(rowid) from intermediate.int_scorecards_totalled where score is not null)"""),
    Defect("points lie above their curve", "assert_scores_lie_within_their_curves",
           """update intermediate.int_scorecard_lines_scored set points = 1000 where rowid =
           (select min(rowid) from intermediate.int_scorecard_lines_scored where status = 'scored')"""),
    Defect("a join loses an invitation", "assert_survey_records_delivered_are_credited_once",
           "delete from intermediate.int_invitations_credited where rowid = 1"),
    Defect("a join doubles a response", "assert_survey_records_delivered_are_credited_once",
           "insert into intermediate.int_responses_credited from intermediate.int_responses_credited limit 1"),
    Defect("a join doubles an answer", "assert_survey_records_delivered_are_credited_once",
           "insert into intermediate.int_answers_scored from intermediate.int_answers_scored limit 1"),
    Defect("an order line is lost", "assert_order_lines_delivered_are_counted_or_excluded",
           "delete from intermediate.int_order_lines_credited where rowid = 1"),
    Defect("a day under a plan is on no statement", "assert_every_day_under_a_plan_is_on_one_statement",
           "update incentive.statements set part_start = part_start + 1 where rowid = 1"),
    Defect("a statement is there twice", "assert_every_day_under_a_plan_is_on_one_statement",
           "insert into incentive.statements from incentive.statements limit 1"),
    Defect("a payout is a cent above its statements", "assert_payouts_are_the_sum_of_statements",
           "update incentive.payouts set statements_amount = statements_amount + 0.01 where rowid = 1"),
    Defect("a statement is in no payout", "assert_payouts_are_the_sum_of_statements",
           """delete from incentive.payouts where rowid =
           (select min(rowid) from incentive.payouts where statements_amount > 0)"""),
    Defect("a statement is a cent above its lines", "assert_statement_lines_add_up_to_their_statement",
           "update incentive.statements set amount = amount + 0.01 where rowid = 1"),
    Defect("a line has no statement", "assert_statement_lines_add_up_to_their_statement",
           "update incentive.statement_lines set statement_id = 'none' where rowid = 1"),
    Defect("half of an outcome is nobody's", "assert_blame_shares_add_up_to_1",
           "update journey.blame_split set share = share / 2 where rowid = 1"),
    Defect("a detractor's answer is no outcome", "assert_blame_shares_add_up_to_1",
           "update intermediate.int_journey_answers_counted set detractors = detractors + 1"),
    Defect("a model credits more than there was", "assert_credits_add_up_to_the_conversions",
           "update journey.attribution set credit = credit + 1 where rowid = 1"),
    Defect("an event is in no journey", "assert_events_are_in_a_journey_unlinked_or_excluded",
           """delete from journey.events where rowid =
           (select min(rowid) from journey.events where journey_id is not null)"""),
    Defect("who came to a touchpoint is gone", "assert_flow_into_a_touchpoint_flows_out_or_ends",
           """delete from intermediate.int_transitions_counted where rowid =
           (select min(rowid) from intermediate.int_transitions_counted where to_touchpoint = 'end')"""),
    Defect("a step is lost from the flow", "assert_flow_into_a_touchpoint_flows_out_or_ends",
           "delete from journey.sankey_edges where rowid = 1"),
)  # fmt: skip
# One use of each of the project's generic tests.
GENERIC_DEFECTS = {
    "expression_is_true": (
        Defect("a case is closed without an outcome", "a_case_is_closed_exactly_with_an_outcome",
               "update voice.feedback_cases set outcome_code = null where state = 'closed'"),
        Defect("what cannot be said of a case is not true", "a_case_is_closed_exactly_with_an_outcome",
               "update voice.feedback_cases set state = null where rowid = 1"),
    ),
    "no_overlapping_ranges": (
        Defect("two salaries govern one day",
               "no_overlapping_ranges_int_salaries_dated_valid_from__employee_id__valid_to",
               "insert into intermediate.int_salaries_dated from intermediate.int_salaries_dated limit 1"),
    ),
    "unique_combination_of_columns": (
        Defect("a payout is there twice",
               "unique_combination_of_columns_payouts_employee_id__period_type__period_start__currency_code",
               "insert into incentive.payouts from incentive.payouts limit 1"),
        Defect("two payouts of nobody",
               "unique_combination_of_columns_payouts_employee_id__period_type__period_start__currency_code",
               "update incentive.payouts set employee_id = null"),
    ),
}  # fmt: skip
DEFECTS = (*SINGULAR_DEFECTS, *(defect for defects in GENERIC_DEFECTS.values() for defect in defects))
# What reads no table is broken in its text.
MACROS_TEST = "assert_intervals_reproduce_published_figures"


@pytest.fixture(scope="module")
def warehouse(built_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection on a copy that may be written."""
    copy = shutil.copy(built_night / "warehouse.duckdb", tmp_path_factory.mktemp("defects"))
    with duckdb.connect() as connection:
        attach(connection, Path(copy), "warehouse")
        connection.execute("use warehouse")
        yield connection


def node_of(company: Company, name: str) -> dict[str, Any]:
    (node,) = (
        node
        for node in read_manifest(company)["nodes"].values()
        if node["resource_type"] == "test" and node["name"] == name
    )
    return dict(node)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what)
def test_a_defect_fails_its_test(first_night: FirstNight, warehouse: duckdb.DuckDBPyConnection, defect: Defect) -> None:
    node = node_of(first_night.company, defect.found_by)
    path = compiled_test_path(node, first_night.company.dbt_target_dir)
    before = run_compiled_test(warehouse, node["unique_id"], path)
    assert (before.passed, before.failed) == (True, 0), before.message
    warehouse.execute("begin")
    try:
        changed = warehouse.execute(defect.sql).fetchall()[0][0]
        assert changed > 0, "the defect changed nothing, so nothing was tested"
        after = run_compiled_test(warehouse, node["unique_id"], path)
    finally:
        warehouse.execute("rollback")
    assert not after.passed
    assert after.failed, after.message


def test_a_wrong_interval_fails_the_published_figures(
    first_night: FirstNight, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    node = node_of(first_night.company, MACROS_TEST)
    path = compiled_test_path(node, first_night.company.dbt_target_dir)
    assert run_compiled_test(warehouse, node["unique_id"], path).failed == 0
    wrong = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    assert "1.959963984540054" in text
    wrong.write_text(text.replace("1.959963984540054", "1.644853626951473"), encoding="utf-8")
    assert run_compiled_test(warehouse, node["unique_id"], wrong).failed


def test_every_test_of_the_project_is_broken_on_purpose(first_night: FirstNight) -> None:
    singular = {path.stem for path in TESTS_DIR.rglob("assert_*.sql")}
    assert singular == {defect.found_by for defect in SINGULAR_DEFECTS} | {MACROS_TEST}
    assert GENERIC_DEFECTS.keys() == {path.stem for path in (TESTS_DIR / "generic").glob("*.sql")}
    for kind, defects in GENERIC_DEFECTS.items():
        for defect in defects:
            found_by = node_of(first_night.company, defect.found_by)
            assert found_by["test_metadata"]["name"] == kind
