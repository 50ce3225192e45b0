"""Mistakes people make in policy: each is refused with seed, line and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from expectations import policy
from expectations.checks import decide
from expectations.policy import POLICY_RULES, RULES_DIR, PolicyError, check_policy, policy_check_names, seed_forms
from orchestration.ledger.governed import check_governed_policy
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


@pytest.mark.parametrize("folder", [PROJECT_DIR, PROJECT_DIR / "examples" / "adventureworks"])
def test_the_policies_delivered_are_sound(folder: Path, tmp_path: Path) -> None:
    check_policy(copy_company(folder, tmp_path / "company"))


def problems_after(company: Company, seed: str, old: str, new: str) -> list[str]:
    path = company.seeds_dir / f"{seed}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        check_policy(company)
    return str(error.value).splitlines()


def with_rules(monkeypatch: pytest.MonkeyPatch, folder: Path, rules: Iterable[str]) -> None:
    """Check with these rules about several rows, and no other."""
    folder.mkdir()
    for rule in rules:
        shutil.copy(RULES_DIR / f"{rule}.sql", folder)
    monkeypatch.setattr(policy, "RULES_DIR", folder)


# What finds a mistake: a rule by its name, or the form of the seed.
FORM = "form"
MISTAKES = (
    ("template_weights_sum_to_one", "policy/scorecard_templates",
     "month,revenue,0.60", "month,revenue,0.50",
     6, "sum to 0.9: they must sum to 1"),
    (FORM, "policy/scorecard_templates",
     "month,revenue,0.60", "month,revenu,0.60",
     2, "measure_code 'revenu' is not known in measures"),
    (FORM, "policy/scorecard_templates", "month,revenue,0.60", "month,revenue,1.60", 2, "weight '1.60' is above 1"),
    ("roles_are_known", "policy/scorecard_templates",
     "employee,service_agent", "employee,service_agnt",
     17, "job role service_agnt is not known"),
    (FORM, "policy/scorecard_templates", ",2025-01-01,2026-01-01,", ",2025-01-01,2026-02-01,", 7, "overlaps line 2"),
    ("curves_are_whole", "policy/scoring_curves",
     "points_standard,linear,1.5,1.5", "points_standard,linear,1.5,0.9",
     4, "more must never pay less"),
    ("curves_are_whole", "policy/scoring_curves",
     "points_standard,linear,1,1", "points_standard,step,1,1",
     3, "mixes linear and step"),
    ("targets_are_in_order", "policy/measure_targets",
     "csat,company,*,month,0.5,0.6,0.75", "csat,company,*,month,0.5,0.6,0.55",
     2, "must be above the threshold"),
    ("targets_are_in_order", "policy/measure_targets",
     "csat,company,*,month,0.5,0.6,0.75", "csat,company,*,month,0.5,0.6,0",
     2, "must be above 0"),
    ("journey_settings_are_complete", "policy/journey_settings",
     "gap_days,14", "gap_days,0",
     2, "gap_days 0.000000 must be above 0"),
    ("journey_settings_are_complete", "policy/journey_settings",
     "closing_hour,22", "closing_hour,9",
     4, "is not after opening_hour 10.000000"),
    ("journey_settings_are_complete", "policy/journey_settings",
     "position_end_share,0.4", "position_end_share,0.6",
     7, "is above 0.5"),
    (FORM, "policy/journey_settings", "journey_steps,6", "journey_stops,6", 14, "is not one of gap_days"),
    (FORM, "mappings/touch_sources", "*,return_desk", "*,return_dsk", 4, "'return_dsk' is not known in touchpoints"),
    ("plans_are_complete", "policy/incentive_plans",
     "salary_share,0.20", "salary_share,5",
     2, "write a share, 0.05 for 5 percent"),
    ("plans_are_complete", "policy/incentive_plans", "salary_share,0.20", "salary_share,", 2, "needs a base_value"),
    ("plans_are_complete", "policy/incentive_plans",
     "csat,store,0.6,0.5,share,1.8,,,CNY", "csat,store,,0.5,share,1.8,,,CNY",
     2, "a gate needs its measure, level, minimum and factor"),
    ("plans_are_complete", "policy/incentive_plans", "1.8,,,CNY", "1.8,,,USD", 2, "pays in USD, the company counts in CNY"),
    ("ownership_shares_sum_to_one", "policy/touchpoint_owners",
     "delivery,logistics,0.9", "delivery,logistics,0.8",
     9, "sum to 0.9"),
    (FORM, "policy/measures", "2025-01-01,,board", "2025-01-01,2024-01-01,board", 2, "valid_to 2024-01-01 is not after"),
    (FORM, "policy/measures", "2025-01-01,,board", "2025-13-01,,board", 2, "valid_from '2025-13-01' is not a date"),
    (FORM, "policy/measures", ",board,", ",,", 2, "approved_by is empty"),
    # An end without a successor: weights that govern nothing.
    ("template_weights_sum_to_one", "policy/scorecard_templates",
     "employee,service_agent,month,csat,0.60,department,curve,points_standard,,,2025-01-01,,",
     "employee,service_agent,month,csat,0.60,department,curve,points_standard,,,2025-01-01,2026-03-01,",
     18, "sum to 0.4"),
    ("methods_have_what_they_need", "policy/scorecard_templates",
     "0.60,own,curve,points_standard", "0.60,own,curve,",
     2, "has no curve_code"),
    ("methods_have_what_they_need", "policy/scorecard_templates",
     "0.60,own,curve,points_standard", "0.60,own,as_delivered,points_standard",
     2, "leave curve_code empty"),
    ("methods_have_what_they_need", "policy/scorecard_templates",
     "0.60,own,curve", "0.60,own,consistency",
     2, "leave curve_code empty"),
    ("methods_have_what_they_need", "policy/scorecard_templates",
     "own,curve,points_standard,,,", "own,curve,points_standard,,0.9,",
     2, "only the method shrunken knows"),
    ("curves_have_points_to_pay_by", "policy/scoring_curves",
     "points_standard,linear,1,1", "points_standard,linear,1.1,1",
     2, "no point at attainment 1: add the point"),
    ("pay_rates_are_shares", "policy/incentive_plans", "0.5,share,1.8", "0.5,share,18", 2, "write a factor, 1.5 for 150 percent"),
    ("pay_rates_are_shares", "policy/incentive_plans",
     "csat,store,0.6,", "csat,store,60,",
     2, "write a share, 0.6 for 60 percent"),
    ("pay_rates_are_shares", "policy/incentive_plans", "1.8,,,CNY", "1.8,10,,CNY", 2, "leave minimum_per_sale empty"),
    ("pay_rates_are_shares", "policy/incentive_plans", "1.8,,,CNY", "1.8,,0,CNY", 2, "leave pool_amount empty"),
    ("roles_are_known", "policy/incentive_plans",
     "sales_associate,month,salary", "sales_asociate,month,salary",
     2, "is not known in job_roles"),
    ("plans_have_templates", "policy/incentive_plans",
     "CNY,2025-11-01,,board", "CNY,2024-11-01,,board",
     2, "has no scorecard template"),
    # Without a row for all channels and scores a bad answer would have no owner and no time.
    ("cases_are_due_for_every_answer", "policy/feedback_case_rules",
     "bad,*,100,72,48,customer_desk,2025-01-01,,", "bad,*,100,72,48,customer_desk,2025-01-01,2026-03-01,",
     1, "no row of channel * with score_at_most_pct 100 governs 2026-03-01"),
    (FORM, "policy/touchpoint_owners", "delivery,logistics,0.9", "delivery,logistics,1.9", 8, "share '1.9' is above 1"),
    ("pay_rates_are_shares", "policy/measure_targets",
     "csat,company,*,month,0.5,0.6,0.75,0.85", "csat,company,*,month,0.5,0.6,75,85",
     2, "write a share, 0.75 for 75 percent"),
    (FORM, "policy/plan_modifiers", "S039,1.1,", "S039,11,", 2, "multiplier '11' is above 3"),
    ("questions_have_thresholds", "mappings/survey_questions", "csat,1,5,4,2", "csat,1,5,2,4", 2, "in order"),
    (FORM, "policy/measures", "measure_code,", "measure,", 1, "column measure_code is missing"),
    ("cx_components_are_known", "policy/cx_index_weights",
     "touchpoint,*,csat,", "touchpoint,*,csatt,",
     2, "the unknown component csatt"),
    ("cx_index_weights_sum_to_one", "policy/cx_index_weights", "touchpoint,*,csat,0.4", "touchpoint,*,csat,0.3", 5, "sum to 0.9"),
    ("fiscal_periods_adjoin", "mappings/fiscal_periods", "reason\n",
     "reason\nmonth,2026-01-01,2026-01-31,4-4-5\nmonth,2026-02-01,2026-03-01,4-4-5\n", 2, "the next begins on 2026-02-01"),
    ("screens_have_their_limits", "policy/survey_thresholds", "repeated_device,3,,60", "repeated_device,,,60",
     2, "rule repeated_device needs limit_count"),
    ("value_settings_are_complete", "policy/value_settings", "default_margin_ratio,*,0.35", "default_margin_ratio,*,35",
     4, "is not between 0 and 1"),
    ("weights_are_positive", "policy/scorecard_templates", "month,revenue,0.60", "month,revenue,0", 2, "is 0: leave the row out"),
    ("sales_is_judged_on_both", "policy/scorecard_templates",
     "online_advisor,month,revenue,0.40", "online_advisor,month,ces,0.40",
     23, "online_advisor has no sales measure from"),
)  # fmt: skip


@pytest.mark.parametrize(("found_by", "seed", "old", "new", "line", "message"), MISTAKES)
def test_a_mistake_is_named(
    company: Company,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    found_by: str,
    seed: str,
    old: str,
    new: str,
    line: int,
    message: str,
) -> None:
    with_rules(monkeypatch, tmp_path / "rules", () if found_by == FORM else (found_by,))
    problems = problems_after(company, seed, old, new)
    assert any(p.startswith(f"seeds/{seed}.csv line {line}: ") and message in p for p in problems), problems


def test_every_policy_rule_is_broken_on_purpose() -> None:
    assert {found_by for found_by, *_ in MISTAKES} - {FORM} == {path.stem for path in RULES_DIR.glob("*.sql")}


def test_a_rule_whose_file_is_gone_has_not_run(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = [*check_policy(company), check_governed_policy(company)]
    assert decide(policy_check_names(), checked) == []
    with_rules(monkeypatch, tmp_path / "rules", set(POLICY_RULES) - {"weights_are_positive"})
    checked = [*check_policy(company), check_governed_policy(company)]
    assert decide(policy_check_names(), checked) == ["policy.weights_are_positive: did not run"]


def test_every_rule_and_every_seed_is_checked() -> None:
    assert sorted(POLICY_RULES) == sorted(path.stem for path in RULES_DIR.glob("*.sql"))
    seeds = (PROJECT_DIR / "seeds").rglob("*.csv")
    assert {form.path for form in seed_forms()} == {f"{path.parent.name}/{path.stem}" for path in seeds}


def test_a_gap_is_named(company: Company) -> None:
    path = company.seeds_dir / "policy" / "measures.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    row = lines[1]
    lines[1] = row.replace("2025-01-01,,", "2025-01-01,2025-06-01,")
    lines.append(row.replace("2025-01-01,,", "2025-07-01,,"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(
        PolicyError, match=rf"measures\.csv line {len(lines)}: csat has no rule from 2025-06-01 to 2025-07-01"
    ):
        check_policy(company)


def test_a_missing_seed_is_named(company: Company) -> None:
    (company.seeds_dir / "policy" / "measures.csv").unlink()
    with pytest.raises(PolicyError, match=r"policy/measures\.csv line 1: the file is missing"):
        check_policy(company)


def test_a_sales_role_without_customers_is_refused(company: Company) -> None:
    path = company.seeds_dir / "policy" / "scorecard_templates.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if "online_advisor" not in line]
    kept.append(
        "employee,online_advisor,month,revenue,1,department,curve,points_standard,,,2025-01-01,,board,Only sales"
    )
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="sales role online_advisor has no customer measure"):
        check_policy(company)


def test_a_rule_of_the_gate_without_its_threshold_is_named(company: Company) -> None:
    path = company.seeds_dir / "policy" / "gate_thresholds.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("order_lines.are_fresh,")), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"gate_thresholds.csv line 1: no row for order_lines.are_fresh"):
        check_policy(company)
