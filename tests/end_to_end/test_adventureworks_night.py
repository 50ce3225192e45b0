"""A whole night of a real company's files: exact revenue, quotas and statements."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from orchestration.mapping import write_mapped_extracts
from orchestration.settings import PROJECT_DIR, Company
from orchestration.simulation import simulate
from tests.conftest import copy_company, run_night
from tests.examples import adventureworks_truth

pytestmark = pytest.mark.xdist_group("adventureworks_night")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, adventureworks_data: Path) -> Company:
    company = copy_company(PROJECT_DIR / "examples" / "adventureworks", tmp_path_factory.mktemp("aw") / "company")
    write_mapped_extracts(company, adventureworks_data)
    run = run_night(company)
    assert run.exit_code == 0, run.output
    return company


@pytest.fixture
def release(company: Company) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    current = company.published_dir / "current"
    for name in ("marts", "incentives"):
        connection.execute(f"attach '{current / name}.duckdb' as {name} (read_only)")
    return connection


def test_revenue_is_exact_per_channel(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "select channel, sum(line_amount) from marts.core.order_lines where exclusion_reason is null group by channel"
    ).fetchall()
    assert dict(rows) == {"reseller": Decimal("77548570.20"), "internet": Decimal("29358677.2207")}


def test_kpi_revenue_is_the_sum_of_both(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "select sum(value) from marts.kpi.kpi_results where measure_code = 'revenue' and level = 'company' "
        "and period_type = 'quarter'"
    ).fetchall()
    assert rows == [(Decimal("106907247.4207"),)]


def test_quota_attainment_is_right_for_every_person_and_quarter(
    release: duckdb.DuckDBPyConnection, adventureworks_data: Path
) -> None:
    published = {
        (employee, period): (value, target, attainment)
        for employee, period, value, target, attainment in release.execute(
            "select entity_id, period_start, value, target, attainment from marts.scorecard.scorecard_lines "
            "where level = 'employee' and measure_code = 'revenue'"
        ).fetchall()
    }
    expected = adventureworks_truth.quota_quarters(adventureworks_data)
    assert len(expected) == 163
    for key, truth in expected.items():
        value, target, attainment = published[key]
        assert (value, target) == (truth.revenue, truth.quota), key
        assert abs(Fraction(attainment) - truth.attainment) <= Fraction(1, 10**12), key


def test_no_statement_is_missing_and_parts_add_up_to_the_day(
    release: duckdb.DuckDBPyConnection, adventureworks_data: Path
) -> None:
    stated = {
        (employee, period, plan): (days, parts, revenue)
        for employee, period, plan, days, parts, revenue in release.execute(
            """
            select employee_id, period_start, plan_code, sum(part_days), count(*), any_value(period_days)
            from incentives.incentive.statements group by all
            """
        ).fetchall()
    }
    expected = adventureworks_truth.quota_quarters(adventureworks_data)
    assert len({employee for employee, _, _ in stated}) == 17
    for (employee, period), truth in expected.items():
        plans = [key for key in stated if key[:2] == (employee, period)]
        assert len(plans) == 2, (employee, period)
        for key in plans:
            days, parts, period_days = stated[key]
            assert days == period_days == sum(part.days for part in truth.parts), key
            assert parts == len(truth.parts), key


def test_commission_is_the_rate_of_each_parts_revenue(
    release: duckdb.DuckDBPyConnection, adventureworks_data: Path
) -> None:
    rows = release.execute(
        """
        select statements.employee_id, statements.period_start, lines.value, lines.attainment, lines.amount
        from incentives.incentive.statements as statements
        inner join incentives.incentive.statement_lines as lines using (statement_id)
        where lines.line_type = 'commission' order by statements.statement_id
        """
    ).fetchall()
    expected = adventureworks_truth.quota_quarters(adventureworks_data)
    totals: dict[tuple[str, object], Decimal] = {}
    for employee, period, revenue, rate, amount in rows:
        totals[employee, period] = totals.get((employee, period), Decimal(0)) + revenue
        assert amount == (revenue * rate).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    assert totals == {key: truth.revenue for key, truth in expected.items()}


def test_a_period_without_a_customer_measure_spreads_its_weight_and_says_so(release: duckdb.DuckDBPyConnection) -> None:
    lines = release.execute(
        "select measure_code, status, weight, effective_weight from marts.scorecard.scorecard_lines "
        "where level = 'company' and period_start = date '2013-06-01' order by measure_code"
    ).fetchall()
    statuses = {code: status for code, status, _, _ in lines}
    assert statuses["service_grade"] == "no_value"
    assert statuses["revenue"] == "scored"
    assert sum(effective for *_, effective in lines) == 1
    spread = release.execute(
        "select spread_weight from marts.scorecard.scorecards where level = 'company' and period_start = date '2013-06-01'"
    ).fetchall()
    assert spread == [(next(weight for code, _, weight, _ in lines if code == "service_grade"),)]


def test_every_statement_is_what_plain_python_pays(
    release: duckdb.DuckDBPyConnection, adventureworks_data: Path
) -> None:
    """Bonus and commission of every person, quota period and part, with curve, gate and days, to the cent."""
    expected = adventureworks_truth.statements(adventureworks_data)
    published = {
        (employee, start, plan.rsplit("_", 1)[1], part): amount
        for employee, start, plan, part, amount in release.execute(
            "select employee_id, period_start, plan_code, part_no, amount from incentives.incentive.statements"
        ).fetchall()
    }
    assert len(expected) > 326
    assert {key: published.get(key) for key in expected} == expected
    assert sum(published.values()) == sum(expected.values())


def test_a_changed_policy_is_tried_out_beside_the_real_one_and_leaves_no_trace(
    company: Company, release: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def files() -> dict[Path, bytes]:
        kept = [company.warehouse_path, *sorted((company.published_dir / "current").iterdir())]
        return {path: hashlib.sha256(path.read_bytes()).digest() for path in kept}

    plans = (company.seeds_dir / "policy" / "incentive_plans.csv").read_text(encoding="utf-8")
    assert "payout_bonus,repurchase_rate,own,0.15,0.5," in plans
    (tmp_path / "incentive_plans.csv").write_text(
        plans.replace("payout_bonus,repurchase_rate,own,0.15,0.5,", "payout_bonus,repurchase_rate,own,0.15,0,"),
        encoding="utf-8",
    )
    before, folders = files(), sorted(company.state_dir.iterdir())
    result = simulate(company, tmp_path, date(2013, 6, 30))
    assert files() == before
    assert sorted(company.state_dir.iterdir()) == folders

    shut = dict(
        release.execute(
            "select employee_id, sum(amount) from incentives.incentive.statements "
            "where period_start = date '2013-06-30' and gate_status = 'shut' and plan_code like '%bonus' group by all"
        ).fetchall()
    )
    assert {person.employee_id: -person.change for person in result.losers} == {
        employee: amount for employee, amount in shut.items() if amount > 0
    }
    assert not result.gainers
    real, simulated = result.totals()["USD"]
    assert real - simulated == sum(shut.values())


def test_internet_customers_are_fitted_tested_and_better_than_the_naive_rule(
    release: duckdb.DuckDBPyConnection,
) -> None:
    row = release.execute(
        "select n, error < naive_error, is_in_use, problem from marts.value.model_backtests "
        "where model_code = 'purchases' and model_segment = 'Consumer'"
    ).fetchall()
    assert len(row) == 1
    assert row[0][1:] == (True, True, None)
    valued = release.execute(
        "select count(*), count(expected_purchases_12m), count(distinct purchase_model_segment) "
        "from marts.value.customer_value where segment = 'Consumer'"
    ).fetchall()
    assert valued == [(18484, 18484, 1)]
