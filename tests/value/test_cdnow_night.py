"""CDNOW delivered as extracts: landed, fitted, tested and valued by the models, with the published figures at the end."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.landing import land
from orchestration.night import plan_night
from orchestration.settings import PROJECT_DIR, Company
from orchestration.transform import build, parse
from tests.conftest import copy_company
from tests.value.conftest import CALIBRATION_END, HOLDOUT_END, Cdnow

pytestmark = pytest.mark.xdist_group("cdnow_night")

SETTINGS = {"holdout_months": "9", "merged_day_correction_days": "0", "clv_history_months": "1"}


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_company(folder: Path, purchases: list[tuple[str, str, float]], settings: dict[str, str]) -> Company:
    """A shop with one store that sold these (customer, day, amount)."""
    company = copy_company(PROJECT_DIR, folder)
    policy = company.seeds_dir / "policy" / "value_settings.csv"
    rows = list(csv.DictReader(policy.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        row |= {"valid_from": "1990-01-01", "value": settings.get(row["setting_code"], row["value"])}
    with policy.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    lines = [
        {"order_id": f"o{number}", "line_no": 1, "ordered_at": f"{day}T04:00:00Z", "store_id": "s1", "product_id": "p1",
         "quantity": 1, "unit_price": f"{amount:.2f}", "currency_code": company.currency_code, "customer_id": customer}
        for number, (customer, day, amount) in enumerate(purchases)
    ]  # fmt: skip
    days: dict[str, str] = {}
    for customer, day, _ in purchases:
        days[customer] = min(day, days.get(customer, day))
    customers = [{"customer_id": customer, "registered_at": f"{day}T03:00:00Z"} for customer, day in days.items()]
    extracts = company.extracts_dir / "sales"
    _write(extracts / "order_lines" / "lines_1998-07-01.csv", lines)
    _write(extracts / "customers" / "customers_1998-07-01.csv", customers)
    _write(
        extracts / "products" / "p_1998-07-01.csv", [{"product_id": "p1", "product_name": "CD", "category": "music"}]
    )
    _write(extracts / "stores" / "s_1998-07-01.csv", [{"store_id": "s1", "store_name": "web", "region": "all"}])
    return company


def run_value(company: Company) -> None:
    """Land, plan, and build the value marts with all they stand on."""
    plan_night(company, land(company), HOLDOUT_END)
    parse(company)
    skipped = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    results = build(company, "--select", "+path:models/marts/value", *skipped)
    assert [(result.name, result.message) for result in results if not result.succeeded] == []


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, cdnow_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    rows = [line.split() for line in cdnow_path.read_text(encoding="ascii").splitlines()]
    purchases = [(row[1], f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}", float(row[4])) for row in rows]
    company = write_company(tmp_path_factory.mktemp("cdnow") / "company", purchases, SETTINGS)
    run_value(company)
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        yield connection


def test_the_fit_of_the_calibration_is_the_published_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = warehouse.execute(
        "select r, alpha, a, b, purchase_log_likelihood, p, q, v, customers, repeaters "
        "from intermediate.int_purchase_models_fitted where fitted_on = ? and model_segment = '*'",
        [CALIBRATION_END],
    ).fetchall()[0]
    assert [f"{value:.4f}" for value in row[:4]] == ["0.2426", "4.4136", "0.7929", "2.4259"]
    assert f"{row[4]:.2f}" == "-9582.43"
    assert [f"{value:.2f}" for value in row[5:8]] == ["6.25", "3.74", "15.44"]
    assert row[8:] == (2357, 946)


def test_the_back_test_of_the_night_has_the_published_errors(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = warehouse.execute(
        "select n, actual, expected, error, naive_error, correlation, beats_naive, is_in_use "
        "from value.model_backtests where model_code = 'purchases' and model_segment = '*'"
    ).fetchall()[0]
    assert row[:2] == (2357, 1882)
    assert row[2] == pytest.approx(1653.9, abs=0.6)
    assert (f"{row[3]:.3f}", f"{row[4]:.3f}") == ("1.608", "2.212")
    assert row[5] == pytest.approx(0.6256, abs=0.00006)
    assert row[6]


def test_calibration_by_frequency_adds_up_to_the_back_test(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select group_no, n, expected_mean * n, actual_mean * n from value.model_calibration "
        "where model_code = 'purchases' and model_segment = '*' order by group_no"
    ).fetchall()
    assert (rows[0][1], sum(row[1] for row in rows)) == (2357 - 946, 2357)
    assert sum(row[3] for row in rows) == pytest.approx(1882)
    assert sum(row[2] for row in rows) == pytest.approx(1653.9, abs=0.6)


def test_every_customer_has_a_value_that_follows_from_its_parts(
    warehouse: duckdb.DuckDBPyConnection, cdnow: Cdnow
) -> None:
    rows = warehouse.execute(
        "select customer_id, repeat_purchases, age_weeks, clv_12m_amount, expected_purchases_12m, expected_spend_amount, "
        "margin_ratio, expected_purchases_36m, clv_36m_amount, missing_reason from value.customer_value"
    ).fetchall()
    assert len(rows) == 2357
    for customer, repeats, age, clv, purchases, spend, margin, purchases_36m, clv_36m, missing in rows:
        assert missing is None
        x, _, days = cdnow.history(customer, HOLDOUT_END)
        assert (repeats, age) == (x, pytest.approx(days / 7))
        undiscounted = float(purchases * spend * margin)
        assert undiscounted * 0.9 - 0.01 <= float(clv) <= undiscounted + 0.01
        assert float(clv) <= float(clv_36m) <= float(purchases_36m * spend * margin) + 0.01


@pytest.mark.parametrize(
    ("purchases", "reason"),
    [
        ([(f"c{i}", "1998-01-05", 5.0) for i in range(30)], "purchases_nobody_repeats"),
        ([("c1", "1998-01-05", 5.0), ("c1", "1998-03-05", 5.0)], "purchases_too_few_customers"),
        ([(f"c{i}", "1998-06-30", 5.0) for i in range(30)], "purchases_all_on_one_day"),
        ([(f"c{i % 40}", f"1998-0{1 + i % 6}-{1 + i % 27:02d}", 0.0) for i in range(200)], None),
    ],
)
@pytest.mark.soak
def test_degenerate_customers_have_no_value_and_the_reason(
    tmp_path: Path, purchases: list[tuple[str, str, float]], reason: str | None
) -> None:
    company = write_company(tmp_path / "company", purchases, {})
    run_value(company)
    with duckdb.connect(str(company.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select clv_12m_amount, missing_reason from value.customer_value where purchase_count > 0"
        ).fetchall()
        states = connection.execute("select is_in_use, problem from value.model_backtests").fetchall()
    assert len(rows) == len({customer for customer, _, _ in purchases})
    assert all(value is None and missing for value, missing in rows)
    if reason is not None:
        assert {missing for _, missing in rows} == {reason}
    assert all(not is_in_use and problem for is_in_use, problem in states)
