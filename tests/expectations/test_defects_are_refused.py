"""A table of defects, each with the check that must catch it: whatever can be wrong with a night's tables is done to
them here, and the gate is run on the result.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from expectations import gate
from expectations.checks import CheckResult, Scope
from expectations.rules import failing_rows, run_rule
from orchestration.sql_text import attach

pytestmark = pytest.mark.xdist_group("sample_night")


@dataclass(frozen=True)
class Defect:
    """``sql`` breaks one table; ``caught_by`` must fail because of what it saw, not because it could not look."""

    what: str
    caught_by: str
    sql: str


LAST_LINES = "(select max(ordered_on) from marts.core.order_lines)"
LAST_ANSWERS = "(select max(submitted_on) from marts.core.survey_answers)"
LAST_PAYOUT = "(select max(period_start) from incentives.incentive.payouts where is_complete)"
MARTS_DEFECTS = (
    Defect("a fan-out join doubles order lines", "order_lines.are_there_once",
           "insert into marts.core.order_lines from marts.core.order_lines limit 100"),
    Defect("an inner join drops order lines", "order_lines.rows_reconcile_with_raw",
           "delete from marts.core.order_lines where product_id = (select min(product_id) from marts.core.order_lines)"),
    Defect("one line is a cent off", "order_lines.amounts_reconcile_with_raw",
           "update marts.core.order_lines set line_amount = line_amount + 0.01 where rowid = 7"),
    Defect("amounts change their sign", "order_lines.make_their_amount",
           "update marts.core.order_lines set line_amount = -line_amount where rowid < 50"),
    Defect("amounts are in cents", "order_lines.make_their_amount",
           "update marts.core.order_lines set line_amount = line_amount * 100"),
    Defect("discounts are forgotten", "order_lines.amounts_reconcile_with_raw",
           "update marts.core.order_lines set line_amount = quantity * unit_price"),
    Defect("sales of the future count", "order_lines.counted_are_not_in_the_future",
           "update marts.core.order_lines set ordered_on = date '2099-01-01' where rowid = 3"),
    Defect("the last four days of sales are missing", "order_lines.are_fresh",
           f"delete from marts.core.order_lines where ordered_on > {LAST_LINES} - 4"),
    Defect("a rule of exclusion takes too much", "order_lines.excluded_share_is_small",
           "update marts.core.order_lines set exclusion_reason = 'test' where rowid % 20 = 0"),
    Defect("nothing of the last day counts", "order_lines.excluded_share_is_small",
           f"update marts.core.order_lines set exclusion_reason = 'test' where ordered_on = {LAST_LINES}"),
    Defect("the table is empty", "order_lines.rows_reconcile_with_raw", "delete from marts.core.order_lines"),
    Defect("half of the history is lost", "order_lines.did_not_shrink",
           "delete from marts.core.order_lines where rowid % 2 = 0"),
    Defect("one day of the past is lost", "order_lines.no_day_was_lost",
           f"delete from marts.core.order_lines where ordered_on = {LAST_LINES} - 40"),
    Defect("an order is missing", "orders.reconcile_with_their_lines", "delete from marts.core.orders where rowid = 1"),
    Defect("an order is there twice", "orders.reconcile_with_their_lines",
           "insert into marts.core.orders from marts.core.orders limit 1"),
    Defect("a return is lost", "returns.rows_reconcile_with_raw", "delete from marts.core.returns where rowid = 1"),
    Defect("a refund is a cent off", "returns.amounts_reconcile_with_raw",
           "update marts.core.returns set refund_amount = refund_amount + 0.01 where rowid = 1"),
    Defect("an employee is there twice", "employees.are_those_delivered",
           "insert into marts.core.employees from marts.core.employees limit 1"),
    Defect("an employee is missing", "employees.are_those_delivered",
           "delete from marts.core.employees where rowid = 2"),
    Defect("two assignments at one time", "employee_assignments.do_not_overlap",
           "insert into marts.core.employee_assignments from marts.core.employee_assignments limit 1"),
    Defect("an assignment is lost", "employee_assignments.are_those_delivered",
           "delete from marts.core.employee_assignments where rowid = 1"),
    Defect("an assignment that is over is lost", "employee_assignments.are_those_delivered",
           "delete from marts.core.employee_assignments where rowid = "
           "(select min(rowid) from marts.core.employee_assignments where valid_to is not null)"),
    Defect("an assignment is at another store", "employee_assignments.are_those_delivered",
           "update marts.core.employee_assignments set store_id = null where rowid = "
           "(select min(rowid) from marts.core.employee_assignments where store_id is not null)"),
    Defect("an assignment does not end", "employee_assignments.are_those_delivered",
           "update marts.core.employee_assignments set valid_to = null where rowid = "
           "(select min(rowid) from marts.core.employee_assignments where valid_to is not null)"),
    Defect("a customer is missing", "customers.rows_reconcile_with_raw",
           "delete from marts.core.customers where rowid = 2"),
    Defect("a product is there twice", "products.rows_reconcile_with_raw",
           "insert into marts.core.products from marts.core.products limit 1"),
    Defect("a store is lost", "stores.rows_reconcile_with_raw", "delete from marts.core.stores where rowid = 1"),
    Defect("service tickets are lost", "service_tickets.rows_reconcile_with_raw",
           "delete from marts.core.service_tickets where rowid % 10 = 0"),
    Defect("rows of a file are unaccounted for", "landed_files.account_for_every_row",
           "update marts.meta.landed_files set raw_row_count = raw_row_count - 1 "
           "where status = 'landed' and row_count > 0"),
    Defect("assignments are months old", "landed_files.people_are_fresh",
           "update marts.meta.landed_files set delivered_at = delivered_at - interval 90 day where source_name = 'hr'"),
    Defect("answers are lost", "survey_answers.rows_reconcile_with_raw",
           "delete from marts.core.survey_answers where question_code = 'nps_recommend' and rowid % 9 = 0"),
    Defect("scores are rounded", "survey_answers.scores_reconcile_with_raw",
           "update marts.core.survey_answers set score = score + 0.5 where measure_code = 'nps' and score < 10 and rowid < 999"),
    Defect("texts are lost", "survey_answers.scores_reconcile_with_raw",
           "update marts.core.survey_answers set answer_text = null where answer_text is not null and rowid % 2 = 0"),
    Defect("answers are there twice", "survey_answers.are_there_once",
           "insert into marts.core.survey_answers from marts.core.survey_answers limit 20"),
    Defect("answers of the past vanish", "survey_answers.did_not_shrink",
           "delete from marts.core.survey_answers where rowid % 3 = 0"),
    Defect("the answers of one day of the past vanish", "survey_answers.no_day_was_lost",
           "delete from marts.core.survey_answers where submitted_on = "
           "(select mode(submitted_on) from marts.core.survey_answers)"),
    Defect("responses are lost", "survey_responses.rows_reconcile_with_raw",
           "delete from marts.core.survey_responses where rowid = 1"),
    Defect("a score of another scale", "survey_answers.lie_on_their_scale",
           "update marts.core.survey_answers set score = score * 10 where measure_code = 'csat' and score is not null"),
    Defect("a null score counts", "survey_answers.lie_on_their_scale",
           "update marts.core.survey_answers set score = null "
           "where measure_code = 'csat' and exclusion_reason is null and rowid % 50 = 0"),
    Defect("passives are promoters", "survey_answers.lie_on_their_scale",
           "update marts.core.survey_answers set is_top_box = true where measure_code = 'nps' and score = 8"),
    Defect("the survey is stale", "survey_answers.are_fresh",
           "update marts.core.survey_answers set submitted_on = submitted_on - 30"),
    Defect("answers of the future count", "survey_answers.counted_are_not_in_the_future",
           "update marts.core.survey_answers set submitted_on = date '2099-01-01' "
           "where exclusion_reason is null and rowid < 5"),
    Defect("a fifth of the answers is screened out", "survey_answers.excluded_share_is_small",
           "update marts.core.survey_answers set exclusion_reason = 'screened' where rowid % 5 = 0"),
    Defect("no answer of the last three days counts", "survey_answers.excluded_share_is_small",
           "update marts.core.survey_answers set exclusion_reason = 'screened' "
           f"where submitted_on > {LAST_ANSWERS} - 3"),
    Defect("answers came without their responses", "survey_answers.excluded_share_is_small",
           "update marts.core.survey_answers set submitted_on = null, exclusion_reason = 'no_response' "
           f"where submitted_on > {LAST_ANSWERS} - 3"),
    Defect("the invitations of a channel are lost", "response_funnel.invited_reconcile_with_raw",
           "delete from marts.voice.response_funnel where level = 'company' and channel = "
           "(select min(channel) from marts.voice.response_funnel where invited_count > 0)"),
    Defect("a bad answer has no case", "feedback_cases.are_those_of_bad_answers",
           "delete from marts.voice.feedback_cases where rowid = 1"),
    Defect("a case is there twice", "feedback_cases.are_those_of_bad_answers",
           "insert into marts.voice.feedback_cases from marts.voice.feedback_cases limit 1"),
    Defect("a case is of no answer", "feedback_cases.are_those_of_bad_answers",
           "update marts.voice.feedback_cases set response_id = 'nobody' where rowid = 1"),
    Defect("a case belongs to nobody", "feedback_cases.have_owner_and_time",
           "update marts.voice.feedback_cases set owner_id = null where rowid = 1"),
    Defect("a case is never due", "feedback_cases.have_owner_and_time",
           "update marts.voice.feedback_cases set due_at = null where rowid = 1"),
    Defect("overdue cases look open", "feedback_cases.are_in_the_state_of_their_hour",
           "update marts.voice.feedback_cases set state = 'open', escalation_level = 0, escalation_owner_id = null "
           "where state in ('overdue', 'escalated')"),
    Defect("the outcomes of cases are forgotten", "feedback_cases.know_every_outcome",
           "update marts.voice.feedback_cases set state = 'open', outcome_code = null, closed_at = null "
           "where state = 'closed'"),
    Defect("revenue is off by one line", "kpi_results.revenue_reconciles_with_order_lines",
           "update marts.kpi.kpi_results set numerator = numerator + 1 where measure_code = 'revenue' "
           "and level = 'company' and period_type = 'month' and period_start = date '2026-03-01'"),
    Defect("answers are counted twice", "kpi_results.answers_reconcile_with_survey_answers",
           "update marts.kpi.kpi_results set n = n * 2 where measure_code = 'csat' and level = 'company'"),
    Defect("NPS has the wrong sign", "kpi_results.values_follow_from_their_counts",
           "update marts.kpi.kpi_results set value = -value where measure_code = 'nps'"),
    Defect("a share is in percent", "kpi_results.values_lie_within_their_scale",
           "update marts.kpi.kpi_results set value = value * 100 where measure_code = 'csat'"),
    Defect("detractors and promoters are swapped", "kpi_results.favourable_and_unfavourable_are_recounted",
           "update marts.kpi.kpi_results set favourable_count = unfavourable_count, "
           "unfavourable_count = favourable_count where measure_code = 'nps' and favourable_count <> unfavourable_count"),
    Defect("a branch is dropped from the results", "kpi_results.favourable_and_unfavourable_are_recounted",
           "delete from marts.kpi.kpi_results where level = 'store' "
           "and entity_id = (select min(store_id) from marts.core.survey_answers)"),
    Defect("a result lost its value", "kpi_results.reportable_have_a_value",
           "update marts.kpi.kpi_results set value = null where measure_code = 'csat' and is_reportable"),
    Defect("a delivered value is not published", "kpi_results.delivered_values_reconcile_with_raw",
           "delete from marts.kpi.kpi_results where rowid = "
           "(select min(rowid) from marts.kpi.kpi_results where origin = 'delivered')"),
    Defect("a delivered value is another", "kpi_results.delivered_values_reconcile_with_raw",
           "update marts.kpi.kpi_results set numerator = numerator + 1 where origin = 'delivered' and n > 5"),
    Defect("a result is there twice", "kpi_results.are_there_once",
           "insert into marts.kpi.kpi_results from marts.kpi.kpi_results limit 1"),
    Defect("a result is of nobody", "kpi_results.are_of_known_entities",
           "update marts.kpi.kpi_results set entity_id = 'nobody' where level = 'employee' and measure_code = 'csat'"),
    Defect("past results vanish", "kpi_results.did_not_shrink",
           "delete from marts.kpi.kpi_results where period_type = 'day'"),
    Defect("a buyer has no value row", "customer_value.covers_every_buyer",
           "delete from marts.value.customer_value where customer_id = (select min(customer_id) from marts.core.orders)"),
    Defect("a purchase of a customer is a cent off", "customer_value.purchases_reconcile_with_orders",
           "update marts.value.customer_value set purchase_amount = purchase_amount + 0.01 "
           "where customer_id = (select min(customer_id) from marts.core.orders)"),
    Defect("an order without a customer is given to one", "customer_value.purchases_reconcile_with_orders",
           "update marts.core.orders set customer_id = (select min(customer_id) from marts.core.orders) "
           "where order_id = (select min(order_id) from marts.core.orders where customer_id is null)"),
    Defect("a customer is alive with more than certainty", "customer_value.is_plausible",
           "update marts.value.customer_value set probability_alive = 1.5 where rowid = 1"),
    Defect("a value is missing without a reason", "customer_value.is_plausible",
           "update marts.value.customer_value set clv_12m_amount = null, missing_reason = null where rowid = 1"),
    Defect("the measure is not the sum of the customers", "customer_value.sums_to_the_measure",
           "update marts.kpi.kpi_results set numerator = coalesce(numerator, 0) + 1 "
           "where measure_code = 'clv_12m' and level = 'company'"),
    Defect("half of the customers vanish", "customer_value.did_not_shrink",
           "delete from marts.value.customer_value where rowid % 2 = 0"),
    Defect("a churn probability is in percent", "churn_risk.is_a_probability_with_a_reason",
           "update marts.value.churn_risk set churn_probability = 12.5, missing_reason = null where rowid = 1"),
    Defect("a model that guesses worse than the naive rule is used",
           "model_backtests.no_model_worse_than_naive_is_in_use",
           "update marts.value.model_backtests set is_in_use = true, beats_naive = false"),
    Defect("values come from parameters nobody published", "model_backtests.values_come_from_parameters_that_are_good",
           "update marts.value.customer_value set purchase_parameters_version = 'unknown' where rowid = 1"),
    Defect("the first month of a cohort is lost", "cohort_retention.counts_every_customer_once",
           "delete from marts.value.cohort_retention where months_since = 0 and cohort_customers > 0"),
    Defect("somebody who was drawn is on the list no more", "early_actions.are_of_buyers_and_stay_as_they_were_drawn",
           """drop view previous.value.early_actions;
           create table previous.value.early_actions as
           select date '2026-03-01' as action_month, 'C000001' as customer_id, 'act' as action_group"""),
    Defect("somebody unknown is to be acted on", "early_actions.are_of_buyers_and_stay_as_they_were_drawn",
           "insert into marts.value.early_actions (action_month, customer_id, action_group) "
           "values (date '2026-06-01', 'nobody', 'act')"),
    Defect("an interaction is lost", "events.reconcile_with_their_sources",
           "delete from marts.journey.events where event_id = (select min(event_id) from marts.journey.events)"),
    Defect("an event is in no journey of those listed", "events.are_in_a_journey_unlinked_or_excluded",
           "delete from marts.journey.journeys where rowid = 1"),
    Defect("half of the events vanish", "events.did_not_shrink", "delete from marts.journey.events where rowid % 2 = 0"),
    Defect("a journey counts an event too many", "journeys.are_their_events",
           "update marts.journey.journeys set event_count = event_count + 1 where rowid = 1"),
    Defect("two customers are on one journey", "journeys.are_their_events",
           "update marts.journey.events set customer_id = 'another' where journey_id is not null and event_no = 2"),
    Defect("what comes to a touchpoint does not leave it", "transitions.conserve_their_flow",
           "update marts.journey.transitions set transition_count = transition_count + 1 "
           "where from_touchpoint = 'start' and level = 'store'"),
    Defect("the journeys of a month are lost", "transitions.have_every_journey",
           "delete from marts.journey.transitions where period_start = date '2026-03-01'"),
    Defect("a touchpoint is missing from the health of the company", "touchpoint_health.counts_every_event",
           "delete from marts.journey.touchpoint_health where level = 'company' and touchpoint_code = 'delivery'"),
    Defect("a conversion is credited twice", "attribution.credits_are_the_conversions",
           "update marts.journey.attribution set credit = credit + 1 where unit_code = 'web_visit'"),
    Defect("an effect is outside of its interval", "key_touchpoints.effects_lie_in_their_intervals",
           "update marts.journey.key_touchpoints set repurchase_effect = 2 where repurchase_effect is not null"),
    Defect("an outcome is divided into more than itself", "blame_split.shares_are_of_one_outcome",
           "update marts.journey.blame_split set share = share + 0.000001 where rowid = 1"),
    Defect("a detractor is nobody's", "blame_split.divides_every_detractor",
           "delete from marts.journey.blame_split where outcome_code = 'detractor' and outcome_id = "
           "(select min(outcome_id) from marts.journey.blame_split where outcome_code = 'detractor')"),
    Defect("a department is blamed without evidence", "blame_split.has_evidence_behind_every_department",
           "update marts.journey.blame_split set department_code = 'sales' where split_rule = 'no_evidence'"),
    Defect("somebody has no scorecard", "scorecards.cover_everybody_with_a_template",
           "delete from marts.scorecard.scorecards where level = 'employee' and period_start = date '2026-03-01'"),
    Defect("a score is not its lines", "scorecards.equal_the_sum_of_their_lines",
           "update marts.scorecard.scorecards set score = score + 1 where score is not null"),
    Defect("most scores are null", "scorecards.are_mostly_scored", "update marts.scorecard.scorecards set score = null"),
    Defect("the scores of the last month are null", "scorecards.are_mostly_scored",
           "update marts.scorecard.scorecards set score = null where period_type = 'month' and period_start = "
           "(select max(period_start) from marts.scorecard.scorecards where period_type = 'month')"),
    Defect("scorecards use another result", "scorecard_lines.use_the_published_results",
           "update marts.scorecard.scorecard_lines set value = value + 0.1 where status = 'scored'"),
    Defect("weights do not sum to one", "scorecard_lines.weigh_one",
           "update marts.scorecard.scorecard_lines set effective_weight = effective_weight * 2"),
    Defect("an empty join leaves no results", "kpi_results.answers_reconcile_with_survey_answers",
           "delete from marts.kpi.kpi_results"),
    Defect("an empty join leaves no scorecards", "scorecards.cover_everybody_with_a_template",
           "delete from marts.scorecard.scorecards"),
    Defect("an empty list of people was taken", "employees.are_those_delivered", "delete from marts.core.employees"),
    Defect("a score is negative", "scorecards.rows_are_sound", "update marts.scorecard.scorecards set score = -1"),
)  # fmt: skip
INCENTIVES_DEFECTS = (
    Defect("somebody on a plan has no statement", "statements.cover_everybody_on_a_plan",
           "delete from incentives.incentive.statements where rowid = 3"),
    Defect("an empty join leaves no statements", "statements.cover_everybody_on_a_plan",
           "delete from incentives.incentive.statements"),
    Defect("an empty join leaves no payouts", "payouts.are_of_people_with_statements",
           "delete from incentives.incentive.payouts"),
    Defect("somebody employed is neither paid nor excluded", "statements.account_for_everybody_employed",
           "delete from incentives.incentive.statements where job_role = 'service_agent'"),
    Defect("somebody without a base is not on hold", "statements.have_a_base_or_a_hold",
           "update incentives.incentive.statements set base_problem = 'no_salary' "
           "where statement_id = (select min(statement_id) from incentives.incentive.statements where is_complete)"),
    Defect("somebody who is doubted is paid", "payouts.doubted_are_on_hold",
           """insert into warehouse.intermediate_incentives.int_payees_doubted
           select 'gate:x', employee_id, period_type, period_start, 'payees.bases_stay', '9 after 1', period_start
           from incentives.incentive.payouts where amount > 0 limit 1"""),
    Defect("half of the payees are doubted", "payouts.few_are_doubted",
           """insert into incentives.incentive.holds (hold_id, employee_id, period_type, period_start, held_by, is_held)
           select 'gate:' || employee_id, employee_id, period_type, period_start, 'gate', true
           from incentives.incentive.payouts where rowid % 2 = 0"""),
    Defect("a statement is a cent off its lines", "statements.equal_the_sum_of_their_lines",
           "update incentives.incentive.statements set amount = amount + 0.01 where rowid = 3"),
    Defect("a payout is a cent off its statements", "statements.sum_to_the_payouts",
           "update incentives.incentive.payouts set statements_amount = statements_amount + 0.01 where rowid = 3"),
    Defect("a transfer is a cent off what is due", "payouts.equal_what_is_due",
           "update incentives.incentive.payouts set amount = amount + 0.01 where rowid = 3"),
    Defect("somebody on hold is paid", "payouts.equal_what_is_due",
           "update incentives.incentive.payouts set is_held = true where rowid = "
           "(select min(rowid) from incentives.incentive.payouts where amount > 0 and not is_held)"),
    Defect("the shares of a sale do not add up to 1", "statements.shared_sales_add_up_to_1",
           """create or replace table warehouse.intermediate.int_order_lines_split as
           select 'shares add up to 0.9' as split_problem"""),
    Defect("a closed statement is not the one in the ledger", "statements.closed_ones_are_those_of_the_ledger",
           """insert into warehouse.control.ledger_statements
           select * replace (amount + 0.01 as amount) from incentives.incentive.statements limit 1"""),
    Defect("a statement is there twice", "statements.pay_each_day_once",
           "insert into incentives.incentive.statements from incentives.incentive.statements limit 1"),
    Defect("somebody who has left is paid", "statements.are_of_people_employed",
           "update incentives.incentive.statements set employee_id = 'gone' where rowid = 3"),
    Defect("pay uses another result than is published", "statement_lines.use_the_published_results",
           "update incentives.incentive.statement_lines set value = value + 0.1 where status = 'scored'"),
    Defect("pay of everybody is a hundredfold", "statements.pay_no_more_than_the_budget_factor",
           "update incentives.incentive.statements set amount = amount * 100"),
    Defect("one month is paid fourfold", "statements.pay_no_more_than_the_budget_factor",
           f"update incentives.incentive.statements set amount = amount * 4 where period_start = {LAST_PAYOUT}"),
    Defect("the order lines of the last week were not delivered", "landed_files.keep_their_rhythm",
           "update marts.meta.landed_files set delivered_on = delivered_on - 7 "
           "where extract_name = 'order_lines'"),
    Defect("the monthly customer list stays away", "landed_files.keep_their_rhythm",
           "update marts.meta.landed_files set delivered_on = delivered_on - 120 "
           "where extract_name = 'customers'"),
    Defect("a file could not be read, and no other came of its day", "landed_files.unread_are_replaced",
           "update marts.meta.landed_files set status = 'refused' where extract_name = 'order_lines' "
           "and delivered_on = (select max(delivered_on) - 9 from marts.meta.landed_files)"),
    Defect("the returns of the last month came empty", "landed_files.empty_are_replaced",
           "update marts.meta.landed_files set row_count = 0, raw_row_count = 0 where extract_name = 'returns' "
           "and delivered_on = (select max(delivered_on) from marts.meta.landed_files where extract_name = 'returns')"),
    Defect("a day without sales was delivered", "landed_files.empty_are_replaced",
           "update marts.meta.landed_files set row_count = 0, raw_row_count = 0 where extract_name = 'order_lines' "
           "and delivered_on = (select max(delivered_on) - 3 from marts.meta.landed_files)"),
    Defect("of the last week's returns only one is there", "returns.volume_is_in_season",
           "delete from marts.core.returns where returned_on > (select max(returned_on) - 7 from marts.core.returns) "
           "and return_id <> (select max_by(return_id, returned_on) from marts.core.returns)"),
    Defect("the tickets of the last week were delivered tenfold", "service_tickets.volume_is_in_season",
           "insert into marts.core.service_tickets select tickets.* from marts.core.service_tickets as tickets, range(10) "
           "where opened_on > (select max(opened_on) - 7 from marts.core.service_tickets)"),
    Defect("salaries of a period are in cents", "statements.bases_stay_near_the_period_before",
           f"update incentives.incentive.statements set base_amount = base_amount * 100 where period_start = {LAST_PAYOUT}"),
    Defect("pay triples within a period", "payouts.stay_near_the_period_before",
           f"update incentives.incentive.payouts set amount = amount * 5 where period_start = {LAST_PAYOUT}"),
    Defect("nobody is paid in the last period", "payouts.stay_near_the_period_before",
           f"update incentives.incentive.payouts set amount = 0 where period_start = {LAST_PAYOUT}"),
    Defect("a payout is lost", "payouts.are_of_people_with_statements",
           "delete from incentives.incentive.payouts where rowid = 3"),
    Defect("a payout is negative", "payouts.rows_are_sound",
           "update incentives.incentive.payouts set amount = -1 where rowid = 3"),
    Defect("pay is above its cap", "statements.rows_are_sound",
           "update incentives.incentive.statements set amount = gross_amount * 10 where gross_amount > 0"),
    Defect("pay is in another currency", "statements.rows_are_sound",
           "update incentives.incentive.statements set currency_code = 'USD' where rowid = 3"),
    Defect("most of the last week was not delivered", "order_lines.volume_is_in_season",
           f"delete from marts.core.order_lines where ordered_on between {LAST_LINES} - 6 and {LAST_LINES} - 1"),
    Defect("the last week was delivered tenfold", "order_lines.volume_is_in_season",
           f"insert into marts.core.order_lines select lines.* from marts.core.order_lines as lines, range(10) "
           f"where ordered_on > {LAST_LINES} - 7"),
    Defect("prices are in cents", "order_lines.amounts_have_not_drifted",
           "update marts.core.order_lines set unit_price = unit_price * 100"),
    Defect("prices of the last day are in cents", "order_lines.amounts_have_not_drifted",
           f"update marts.core.order_lines set unit_price = unit_price * 100 where ordered_on = {LAST_LINES}"),
    Defect("a store fell silent", "order_lines.no_store_fell_silent",
           f"delete from marts.core.order_lines where ordered_on > {LAST_LINES} - 7 "
           "and store_id = (select mode(store_id) from marts.core.order_lines)"),
    Defect("last week's answers were lost", "survey_answers.volume_is_in_season",
           "delete from marts.core.survey_answers "
           f"where submitted_on between {LAST_ANSWERS} - 6 and {LAST_ANSWERS} - 1"),
    Defect("everybody is suddenly happy", "survey_answers.scores_have_not_drifted",
           "update marts.core.survey_answers set score = 5 where measure_code = 'csat' and score is not null"),
    Defect("every answer of the last day is a 5", "survey_answers.scores_have_not_drifted",
           f"update marts.core.survey_answers set score = 5 where score is not null and submitted_on = {LAST_ANSWERS}"),
)  # fmt: skip


@pytest.fixture(scope="module")
def audited(built_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One connection on copies that may be written; the release in place has the same marts."""
    folder = tmp_path_factory.mktemp("defects")
    shutil.copytree(built_night, folder, dirs_exist_ok=True)
    shutil.copy(folder / "marts.duckdb", folder / "previous.duckdb")
    with gate.audited_files(folder / "previous.duckdb", warehouse=folder / "warehouse.duckdb") as connection:
        connection.execute("detach warehouse")
        for name in ("warehouse", "marts", "incentives"):
            attach(connection, folder / f"{name}.duckdb", name)
        yield connection


def run_checks(connection: duckdb.DuckDBPyConnection, scope: Scope, only: str | None = None) -> list[CheckResult]:
    """All checks of the scope, or one; a suite is one of several that come with all."""
    rules = [rule for rule in gate.RULES[scope] if only in (None, rule.name)]
    if rules and only:
        return [run_rule(connection, rule, scope) for rule in rules]
    audit = gate.run_marts_checks(connection) if scope == "marts" else gate.run_incentives_checks(connection, "CNY")
    return [result for result in audit.results if only in (None, result.name)]


@pytest.mark.parametrize("scope", ["marts", "incentives"])
def test_undisturbed_tables_pass_every_check(audited: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    results = run_checks(audited, scope)
    assert [f"{result.name}: {result.message}" for result in results if not result.passed] == []
    assert {result.name for result in results} == gate.gate_check_names(scope)


@pytest.mark.parametrize(
    ("scope", "defect"),
    [
        pytest.param(scope, defect, id=defect.what)
        for scope, defects in (("marts", MARTS_DEFECTS), ("incentives", INCENTIVES_DEFECTS))
        for defect in defects
    ],
)
def test_a_defect_is_refused_by_its_check(audited: duckdb.DuckDBPyConnection, scope: Scope, defect: Defect) -> None:
    audited.execute("begin")
    try:
        changed = audited.execute(defect.sql).fetchall()[0][0]
        assert changed > 0, "the defect changed nothing, so nothing was tested"
        (result,) = run_checks(audited, scope, defect.caught_by)
        assert not result.passed
        assert "could not be" not in result.message
        assert result.failed or "only" in result.message
        rules = [rule for rule in gate.RULES[scope] if rule.name == defect.caught_by]
        shown = failing_rows(audited, rules, [result])
        assert [rows.rule_name for rows in shown if rows.rows] == [
            rule.name for rule in rules if rule.rows_sql and result.failed
        ]
    finally:
        audited.execute("rollback")


def test_every_rule_is_broken_on_purpose() -> None:
    broken = {defect.caught_by for defect in (*MARTS_DEFECTS, *INCENTIVES_DEFECTS)}
    every = gate.gate_check_names("marts") | gate.gate_check_names("incentives")
    # The two suites on the rules' own results are broken in test_gate_fails_closed.
    assert every - broken == {"marts_rules.all_ran_and_passed", "incentives_rules.all_ran_and_passed"}
