"""What must hold of pay whatever the data: the compiled models on generated companies."""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company
from tests.pay.pay_models import PayModels, Rows, compiled_pay_models

START, END = date(2026, 1, 1), date(2026, 2, 1)
DATED = {"valid_from": date(2025, 1, 1), "approved_by": "board", "reason": "test"}
PERIOD = {"period_type": "month", "period_start": START}
SETTINGS = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> PayModels:
    return compiled_pay_models(copy_company(PROJECT_DIR, tmp_path_factory.mktemp("pay") / "company"))


def kpi(measure: str, employee: str, value: Decimal, target: str, reportable: bool = True) -> dict[str, Any]:
    return {
        "measure_code": measure, "level": "employee", "entity_id": employee, **PERIOD, "period_end": END,
        "is_complete": True, "value": value, "numerator": value, "value_scale": 1, "n": 40,
        "is_reportable": reportable, "is_shown": True, "direction": "higher_is_better", "target": Decimal(target),
        "floor": Decimal("0.2"), "threshold": Decimal("0.5"), "baseline": Decimal("0.4"),
        "definition_version": "1",
    }  # fmt: skip


@st.composite
def companies(draw: st.DrawFn) -> Rows:
    """Up to six sellers and clerks with results, salaries, absences, sales; a salary plan with a gate, a pooled plan, a
    commission plan.
    """
    cents = st.integers(0, 10**6).map(lambda value: Decimal(value) / 100)
    shares = st.integers(0, 10_000).map(lambda value: Decimal(value) / 10_000)
    template = {"subject_type": "employee", "period_type": "month", "measured_at": "own", "curve_code": "points"}
    rows: Rows = {
        "int_periods_judged": [
            {**PERIOD, "period_end": END, "period_days": 31, "is_complete": True, "is_closed": False,
             "has_late_data": False}
        ],
        "measures": [],
        "scorecard_templates": [
            {**template, "subject_code": role, "measure_code": measure, "weight": weight, "scoring_method": method,
             **({"curve_code": None} if method != "curve" else {}), **DATED}
            for role in ("seller", "clerk")
            for measure, weight, method in (
                ("revenue", "0.5", "curve"), ("csat", "0.3", "curve"), ("audit", "0.2", "achievement_or_improvement"),
            )
        ],
        "scoring_curves": [
            {"curve_code": code, "interpolation": kind, "attainment": x, "factor": y, **DATED}
            for code, kind, points in (
                ("points", "linear", (("0.5", "0"), ("1", "1"), ("1.5", "1.5"))),
                ("payout", "linear", (("0.3", "0.2"), ("1", "1"), ("1.4", "1.7"))),
                ("flat", "step", (("0", "1"),)),
            )
            for x, y in points
        ],
        "incentive_plans": [
            {"plan_code": "salary", "job_role": "seller", "base_type": "salary_share", "base_value": "0.2",
             "score_curve_code": "payout", "gate_measure_code": "csat", "gate_measured_at": "own",
             "gate_minimum": "0.5", "gate_factor": "0.4", "gate_effect": draw(st.sampled_from(["share", "limit"])),
             "cap_factor": "1.5"},
            {"plan_code": "pooled", "job_role": "clerk", "base_type": "salary_share", "base_value": "0.2",
             "score_curve_code": "payout", "cap_factor": "1.5", "pool_amount": draw(cents) + 1},
            {"plan_code": "commission", "job_role": "seller", "base_type": "delivered_revenue_share",
             "base_measure_code": "rate", "score_curve_code": "flat", "cap_factor": "1",
             "minimum_per_sale": draw(st.sampled_from([None, "10"]))},
        ],
        **{name: [] for name in ("int_assignments_bounded", "int_salaries_dated", "int_absences_merged",
                                 "int_measure_values_dated", "int_kpis_counted_daily", "int_sales_credited",
                                 "int_kpis_valued")},
    }  # fmt: skip
    for plan in rows["incentive_plans"]:
        plan |= {"period_type": "month", "currency_code": "CNY", **DATED}
    for number in range(draw(st.integers(1, 6))):
        employee = f"e{number}"
        role = draw(st.sampled_from(["seller", "clerk"]))
        joined = START + timedelta(days=draw(st.integers(-40, 20)))
        rows["int_assignments_bounded"].append({
            "employee_id": employee, "department_code": "sales", "job_role": role, "store_id": "s1",
            "fte": draw(st.sampled_from(["0.5", "1"])), "valid_from": joined, "valid_to": date(9999, 12, 31),
        })  # fmt: skip
        rows["int_salaries_dated"].append({
            "employee_id": employee, "salary_amount": draw(cents), "currency_code": "CNY",
            "valid_from": date(2020, 1, 1), "valid_to": date(9999, 12, 31),
        })  # fmt: skip
        rows["int_measure_values_dated"].append({
            "measure_code": "rate", "level": "employee", "entity_id": employee, **PERIOD,
            "value": draw(shares) / 10, "is_pay_parameter": True,
        })  # fmt: skip
        if draw(st.booleans()):
            first = START + timedelta(days=draw(st.integers(-5, 30)))
            rows["int_absences_merged"].append(
                {
                    "employee_id": employee,
                    "starts_on": first,
                    "ends_on": first + timedelta(days=draw(st.integers(1, 20))),
                }
            )
        for line in range(draw(st.integers(0, 4))):
            sold = START + timedelta(days=draw(st.integers(0, 30)))
            amount = draw(cents)
            rows["int_sales_credited"].append({
                "order_id": f"{employee}-{line}", "line_no": 1, "date_day": sold, "employee_id": employee, "share": 1,
                "quantity": 1, "credited_amount": amount,
            })  # fmt: skip
            rows["int_kpis_counted_daily"].append(
                {"measure_code": "revenue", "date_day": sold, "employee_id": employee, "numerator": amount}
            )
        rows["int_kpis_valued"] += [
            kpi("revenue", employee, draw(cents), "5000"),
            kpi("csat", employee, draw(shares), "0.75", draw(st.booleans())),
            kpi("audit", employee, draw(shares), "0.9"),
        ]
    return rows


def pay(models: PayModels, rows: Rows, threads: int = 1) -> dict[tuple[str, str], Decimal]:
    """What everybody is paid per plan."""
    with models.run(rows, threads) as connection:
        return _pay(connection)


def _pay(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Decimal]:
    found = connection.execute(
        "select employee_id, plan_code, sum(amount) from warehouse.intermediate_incentives.int_plan_parts_pooled "
        "group by all"
    ).fetchall()
    return {(employee, plan): amount for employee, plan, amount in found}


@SETTINGS
@given(rows=companies())
def test_pay_is_never_negative_never_above_its_cap_and_its_lines_add_up(models: PayModels, rows: Rows) -> None:
    with models.run(rows) as connection:
        parts = connection.execute(
            "select statement_id, amount, gross_amount * cap_factor from "
            "warehouse.intermediate_incentives.int_plan_parts_pooled"
        ).fetchall()
        lines = dict(
            connection.execute(
                "select statement_id, sum(amount) from "
                "warehouse.intermediate_incentives.int_statement_lines_allocated group by all"
            ).fetchall()
        )
    assert parts
    for statement, amount, most in parts:
        assert 0 <= amount <= most.quantize(Decimal("0.01"), ROUND_HALF_UP), statement
        assert lines.get(statement, Decimal(0)) == amount, statement


@SETTINGS
@given(rows=companies())
def test_a_pool_pays_exactly_the_pool_or_everybody_the_cap(models: PayModels, rows: Rows) -> None:
    with models.run(rows) as connection:
        claims = connection.execute(
            "select claim_amount, after_cap, amount, floor(gross_amount * cap_factor * 100) / 100, pool_amount "
            "from warehouse.intermediate_incentives.int_plan_parts_pooled where pool_amount is not null"
        ).fetchall()
    paid = sum((row[2] for row in claims), Decimal(0))
    most = sum((Decimal(str(row[3])).quantize(Decimal("0.01")) for row in claims if row[1] > 0), Decimal(0))
    if claims:
        assert paid == min(claims[0][4], most)


@SETTINGS
@given(rows=companies(), who=st.integers(0, 20), more=st.integers(1, 5_000))
def test_a_better_result_never_pays_less(models: PayModels, rows: Rows, who: int, more: int) -> None:
    better = copy.deepcopy(rows)
    result = better["int_kpis_valued"][who % len(better["int_kpis_valued"])]
    step = Decimal(more) / (1 if result["measure_code"] == "revenue" else 10_000)
    result["value"] += step
    result["numerator"] += step
    before, after = pay(models, rows), pay(models, better)
    for key, amount in before.items():
        if key[0] == result["entity_id"]:
            assert after[key] >= amount, key


@SETTINGS
@given(rows=companies(), day=st.integers(0, 31))
def test_splitting_an_assignment_in_two_equal_parts_changes_nothing(models: PayModels, rows: Rows, day: int) -> None:
    split = copy.deepcopy(rows)
    border = START + timedelta(days=day)
    halves = []
    for row in split["int_assignments_bounded"]:
        if row["valid_from"] < border:
            halves += [row | {"valid_to": border}, row | {"valid_from": border}]
        else:
            halves.append(row)
    split["int_assignments_bounded"] = halves
    assert pay(models, rows) == pay(models, split)


@SETTINGS
@given(rows=companies(), seed=st.integers(0, 10**6))
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(models: PayModels, rows: Rows, seed: int) -> None:
    shuffled = {name: random.Random(seed).sample(table, len(table)) for name, table in rows.items()}
    assert pay(models, rows) == pay(models, shuffled, threads=2)
