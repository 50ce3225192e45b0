"""The AdventureWorks mapping against the raw files, and the runner that any company's mapping uses."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from orchestration.mapping import MappingError, write_mapped_extracts
from orchestration.settings import PROJECT_DIR, Company, load_company
from tests.examples import adventureworks_truth as truth

COMPANY_DIR = PROJECT_DIR / "examples" / "adventureworks"
DATA_DIR = PROJECT_DIR / ".." / "shared" / "data" / "adventureworks"
EMPLOYEES = 290
SALES_PEOPLE = {str(employee_id) for employee_id in range(274, 291)}
MANAGERS = {"274", "285", "287"}

with_data = pytest.mark.skipif(not DATA_DIR.is_dir(), reason=f"needs the AdventureWorks files in {DATA_DIR}")

Row = dict[str, str]
Extracts = dict[str, list[Row]]


def read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def valid_to(assignment: Row) -> date:
    return date.fromisoformat(assignment["valid_to"]) if assignment["valid_to"] else date.max


def revenue_of(line: Row) -> Decimal:
    return Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["discount_amount"])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return dataclasses.replace(load_company(COMPANY_DIR), data_dir=tmp_path_factory.mktemp("adventureworks"))


@pytest.fixture(scope="module")
def extracts(company: Company) -> Extracts:
    written = write_mapped_extracts(company, DATA_DIR)
    return {f"{path.parent.parent.name}/{path.parent.name}": read_csv(path) for path in written}


@pytest.fixture(scope="module")
def quarters() -> dict[tuple[str, date], truth.QuotaQuarter]:
    return truth.quota_quarters(DATA_DIR)


@pytest.fixture(scope="module")
def assignments(extracts: Extracts) -> dict[str, list[Row]]:
    """Assignments by employee, in the order of their first days."""
    by_employee = defaultdict(list)
    for row in extracts["hr/assignments"]:
        by_employee[row["employee_id"]].append(row)
    return by_employee


@with_data
def test_revenue_is_the_sales_amount_of_every_line_to_the_fourth_decimal(extracts: Extracts) -> None:
    revenue: dict[str, dict[tuple[str, int], Decimal]] = {"reseller": {}, "internet": {}}
    for line in extracts["sales/order_lines"]:
        revenue[line["channel"]][line["order_id"], int(line["line_no"])] = revenue_of(line)

    assert revenue["reseller"] == truth.reseller_amounts(DATA_DIR)
    assert revenue["internet"] == truth.internet_amounts(DATA_DIR)
    assert sum(revenue["reseller"].values()) == Decimal("77548570.20")
    assert sum(revenue["internet"].values()) == Decimal("29358677.2207")
    assert len(extracts["sales/order_lines"]) == 57_851 + 60_398


@with_data
def test_order_lines_name_stores_products_customers_and_employees_that_exist(extracts: Extracts) -> None:
    lines = extracts["sales/order_lines"]

    assert {line["store_id"] for line in lines} < {row["store_id"] for row in extracts["sales/stores"]}
    assert {line["product_id"] for line in lines} == {row["product_id"] for row in extracts["sales/products"]}
    assert {line["customer_id"] for line in lines} == {row["customer_id"] for row in extracts["sales/customers"]}
    assert {line["employee_id"] for line in lines if line["channel"] == "reseller"} == SALES_PEOPLE
    assert {line["employee_id"] for line in lines if line["channel"] == "internet"} == {""}


@with_data
def test_customers_are_the_buyers_of_both_channels_since_their_first_order(extracts: Extracts) -> None:
    first_orders: dict[str, str] = {}
    for line in extracts["sales/order_lines"]:
        customer_id = line["customer_id"]
        first_orders[customer_id] = min(line["ordered_at"], first_orders.get(customer_id, line["ordered_at"]))
    customers = extracts["sales/customers"]

    assert {row["customer_id"]: row["registered_at"] for row in customers} == first_orders
    assert Counter(row["acquisition_channel"] for row in customers) == {"reseller": 632, "internet": 18_484}
    assert all(row["region"] and row["segment"] for row in customers)


@with_data
def test_every_product_has_a_unit_cost(extracts: Extracts) -> None:
    unit_costs = {row["product_id"]: Decimal(row["unit_cost"]) for row in extracts["sales/products"]}

    assert len(unit_costs) == 350
    assert min(unit_costs.values()) > 0
    # 310 is sold on the internet at a cost of 2171.2942, while a reseller line rounds to 2171.29.
    assert unit_costs["310"] == Decimal("2171.2942")


@with_data
def test_ranges_of_one_employee_are_half_open_and_never_overlap(assignments: dict[str, list[Row]]) -> None:
    assert len(assignments) == EMPLOYEES
    for employee_id, ranges in assignments.items():
        for row in ranges:
            assert date.fromisoformat(row["valid_from"]) < valid_to(row), employee_id
        for row, next_row in pairwise(ranges):
            assert valid_to(row) == date.fromisoformat(next_row["valid_from"]), employee_id
        assert ranges[-1]["valid_to"] == "", employee_id


@with_data
def test_assignments_follow_the_five_who_changed_department(assignments: dict[str, list[Row]]) -> None:
    moved = {
        employee_id: [(row["valid_from"], row["department_code"]) for row in ranges]
        for employee_id, ranges in assignments.items()
        if len({row["department_code"] for row in ranges}) > 1
    }

    assert moved == {
        "4": [("2007-12-05", "D1"), ("2010-05-31", "D2")],
        "16": [("2007-12-20", "D5"), ("2009-07-15", "D4")],
        "224": [("2009-01-07", "D7"), ("2011-09-01", "D8")],
        "234": [("2009-01-31", "D10"), ("2013-11-14", "D16")],
        "250": [("2011-02-25", "D4"), ("2011-07-31", "D13"), ("2012-07-15", "D5")],
    }


@with_data
def test_each_of_the_17_is_covered_on_every_day_of_every_quarter_with_a_quota(
    assignments: dict[str, list[Row]],
    quarters: dict[tuple[str, date], truth.QuotaQuarter],
) -> None:
    assert {employee_id for employee_id, _ in quarters} == SALES_PEOPLE
    for (employee_id, period_start), quarter in quarters.items():
        role = "sales_manager" if employee_id in MANAGERS else "sales_representative"
        for offset in range((quarter.period_end - period_start).days):
            day = period_start + timedelta(days=offset)
            on_day = [
                (row["job_role"], row["department_code"])
                for row in assignments[employee_id]
                if date.fromisoformat(row["valid_from"]) <= day < valid_to(row)
            ]
            assert on_day == [(role, "D3")], (employee_id, day)


@with_data
def test_territories_of_a_quarter_are_those_of_the_raw_history_day_by_day(
    assignments: dict[str, list[Row]],
    quarters: dict[tuple[str, date], truth.QuotaQuarter],
) -> None:
    for (employee_id, period_start), quarter in quarters.items():
        parts = []
        for row in assignments[employee_id]:
            first_day = max(date.fromisoformat(row["valid_from"]), period_start)
            end = min(valid_to(row), quarter.period_end)
            if first_day < end:
                parts.append((row["store_id"] or None, first_day, end, (end - first_day).days))
        assert parts == [(part.store_id, part.valid_from, part.valid_to, part.days) for part in quarter.parts]


@with_data
def test_280_hands_territory_1_over_to_284_in_the_middle_of_a_quarter(
    quarters: dict[tuple[str, date], truth.QuotaQuarter],
) -> None:
    start = date(2012, 3, 30)

    assert [(part.store_id, part.days) for part in quarters["280", start].parts] == [("T1", 31), (None, 61)]
    assert [(part.store_id, part.days) for part in quarters["284", start].parts] == [(None, 31), ("T1", 61)]
    mixed = {key for key, quarter in quarters.items() if len(quarter.parts) > 1}
    assert mixed == {("280", start), ("284", start)}


@with_data
def test_quota_attainment_of_every_person_and_quarter(
    extracts: Extracts,
    quarters: dict[tuple[str, date], truth.QuotaQuarter],
) -> None:
    fiscal_quarters = [
        (date.fromisoformat(row["period_start"]), date.fromisoformat(row["period_end"]))
        for row in read_csv(COMPANY_DIR / "seeds" / "mappings" / "fiscal_periods.csv")
    ]
    revenue: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for line in extracts["sales/order_lines"]:
        if line["employee_id"]:
            day = date.fromisoformat(line["ordered_at"][:10])
            (period_start,) = (start for start, end in fiscal_quarters if start <= day < end)
            revenue[line["employee_id"], period_start] += revenue_of(line)
    attainment = {
        (row["entity_id"], start): Fraction(revenue[row["entity_id"], start]) / Fraction(row["target"])
        for row in extracts["hr/targets"]
        for start in [date.fromisoformat(row["period_start"])]
    }

    assert len(extracts["hr/targets"]) == len(attainment) == 163
    assert attainment == {key: quarter.attainment for key, quarter in quarters.items()}
    assert {(row["measure_code"], row["level"]) for row in extracts["hr/targets"]} == {("revenue", "employee")}
    # Nobody sold in a quarter without a quota, so that no revenue is outside the statements.
    assert sum(revenue.values()) == sum(quarter.revenue for quarter in quarters.values()) == Decimal("77548570.20")


@with_data
def test_employees_have_a_name_a_monthly_salary_and_no_assignment_before_they_were_hired(
    extracts: Extracts,
    assignments: dict[str, list[Row]],
) -> None:
    employees = {row["employee_id"]: row for row in extracts["hr/employees"]}

    assert employees.keys() == assignments.keys()
    assert employees["275"] | {"salary_amount": ""} == {
        "employee_id": "275",
        "full_name": "michael9",
        "hired_on": "2010-12-29",
        "salary_amount": "",
        "currency_code": "USD",
    }
    # 23.0769 an hour, 2,080 hours a year; and 125.50 an hour, which does not divide evenly.
    assert Decimal(employees["275"]["salary_amount"]) == Decimal("3999.9960")
    assert Decimal(employees["1"]["salary_amount"]) == Decimal("21753.3333")
    assert all(row["hired_on"] <= assignments[employee_id][0]["valid_from"] for employee_id, row in employees.items())
    assert len({row["full_name"] for row in employees.values()}) == EMPLOYEES


@with_data
def test_service_grade_is_weighted_by_calls_for_the_company_and_for_sales(extracts: Extracts) -> None:
    values = {
        (row["level"], row["entity_id"], date.fromisoformat(row["period_start"])): (
            Decimal(row["value"]),
            int(row["n"]),
        )
        for row in extracts["hr/measure_values"]
        if row["measure_code"] == "service_grade"
    }

    expected = truth.service_grades(DATA_DIR)
    assert expected == {date(2014, 5, 1): (Decimal("0.0988"), 43_349)}
    assert values == {
        (level, entity_id, month): value
        for month, value in expected.items()
        for level, entity_id in (("company", "company"), ("department", "D3"))
    }


@with_data
def test_pay_terms_are_delivered_for_every_quota(
    extracts: Extracts,
    quarters: dict[tuple[str, date], truth.QuotaQuarter],
) -> None:
    delivered = {
        (row["measure_code"], row["entity_id"], date.fromisoformat(row["period_start"])): Decimal(row["value"])
        for row in extracts["hr/measure_values"]
        if row["level"] == "employee"
    }
    terms = truth.pay_terms(DATA_DIR)

    assert delivered == {
        **{("bonus_amount", *key): terms[key[0]].bonus for key in quarters},
        **{("commission_rate", *key): terms[key[0]].commission_rate for key in quarters},
    }


@with_data
def test_every_job_role_of_an_assignment_is_in_the_seed(extracts: Extracts) -> None:
    listed = read_csv(COMPANY_DIR / "seeds" / "mappings" / "job_roles.csv")

    assert {row["job_role"] for row in extracts["hr/assignments"]} == {row["job_role"] for row in listed}
    assert {row["job_role"] for row in listed if row["is_sales_role"] == "true"} == {
        "sales_manager",
        "sales_representative",
    }


@with_data
def test_a_second_run_leaves_every_file_untouched(company: Company, extracts: Extracts) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        files = company.extracts_dir.rglob("*.csv")
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    before = state()

    assert write_mapped_extracts(company, DATA_DIR) == []
    assert state() == before
    assert len(before) == len(extracts) == 9
    assert list(company.state_dir.iterdir()) == []


@with_data
def test_every_extract_is_in_the_order_of_its_key_and_has_no_key_twice(extracts: Extracts) -> None:
    for source in ("sales", "hr"):
        path = PROJECT_DIR / "models" / "staging" / source / f"_{source}__sources.yml"
        for table in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"][0]["tables"]:
            rows = extracts.get(f"{source}/{table['name']}", [])
            key = table["config"]["meta"]["key"]
            keys = [tuple(int(row[name]) if name == "line_no" else row[name] for name in key) for row in rows]
            assert all(before < after for before, after in pairwise(keys)), table["name"]


@pytest.mark.parametrize("kind", ["policy", "mappings"])
def test_seeds_have_the_columns_of_the_form(kind: str) -> None:
    form = yaml.safe_load((PROJECT_DIR / "models" / "policy" / f"_{kind}__seeds.yml").read_text(encoding="utf-8"))
    for seed in form["seeds"]:
        with (COMPANY_DIR / "seeds" / kind / f"{seed['name']}.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        assert rows[0] == list(seed["config"]["column_types"]), seed["name"]
        assert {len(row) for row in rows} == {len(rows[0])}, seed["name"]


def test_template_weights_sum_to_one() -> None:
    weights: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in read_csv(COMPANY_DIR / "seeds" / "policy" / "scorecard_templates.csv"):
        weights[row["subject_type"], row["subject_code"], row["period_type"]] += Decimal(row["weight"])

    assert weights
    assert set(weights.values()) == {Decimal(1)}


def test_fiscal_quarters_follow_each_other_without_a_gap_around_all_quotas() -> None:
    periods = read_csv(COMPANY_DIR / "seeds" / "mappings" / "fiscal_periods.csv")

    assert {row["period_type"] for row in periods} == {"quarter"}
    assert [row["period_end"] for row in periods[:-1]] == [row["period_start"] for row in periods[1:]]
    assert periods[0]["period_start"] <= "2010-12-29"
    assert periods[-1]["period_end"] > "2014-06-30"


@with_data
def test_a_fiscal_quarter_starts_on_every_quota_date() -> None:
    periods = read_csv(COMPANY_DIR / "seeds" / "mappings" / "fiscal_periods.csv")
    quota_dates = {row["QuotaDate"] for row in read_csv(DATA_DIR / "hr" / "sales_quotas.csv")}
    starts = sorted(row["period_start"] for row in periods)

    assert [start for start in starts if min(quota_dates) <= start <= max(quota_dates)] == sorted(quota_dates)


# The runner, on a company of two files.

STORES_SQL = """
    select key as store_id, name as store_name, 'North' as region
    from read_csv(getvariable('data') || '/stores.csv', header = true, delim = ',', all_varchar = true)
    order by store_id
"""
DEPARTMENTS_SQL = """
    select code as department_code, code as department_name
    from read_csv(getvariable('data') || '/departments.csv', header = true, delim = ',', all_varchar = true)
    order by department_code
"""


@pytest.fixture
def small_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.delenv("SCORECARD_DATA_DIR", raising=False)
    monkeypatch.delenv("SCORECARD_ENV", raising=False)
    folder = tmp_path / "company"
    for path, text in {
        folder / "company.yml": "{name: Small, environment: dev, time_zone: UTC, currency_code: USD}\n",
        folder / "mapping/sales/stores.sql": STORES_SQL,
        folder / "mapping/hr/departments.sql": DEPARTMENTS_SQL,
        tmp_path / "data/stores.csv": "key,name\n2,South Gate\n1,North Gate\n",
        tmp_path / "data/departments.csv": "code\nD1\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_company(folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def stores_sql(company: Company) -> Path:
    return company.folder / "mapping" / "sales" / "stores.sql"


def test_extracts_have_the_canonical_header_and_the_order_of_the_query(small_company: Company, data: Path) -> None:
    messages: list[str] = []

    written = write_mapped_extracts(small_company, data, messages.append)

    assert written == [
        small_company.extracts_dir / "hr" / "departments" / "departments.csv",
        small_company.extracts_dir / "sales" / "stores" / "stores.csv",
    ]
    assert written[1].read_text() == "store_id,store_name,region\n1,North Gate,North\n2,South Gate,North\n"
    assert messages == ["hr/departments/departments.csv: written", "sales/stores/stores.csv: written"]


def test_only_the_extract_whose_content_changed_is_written_again(small_company: Company, data: Path) -> None:
    _, stores = write_mapped_extracts(small_company, data)
    (data / "stores.csv").write_text("key,name\n1,North Gate\n")

    assert write_mapped_extracts(small_company, data) == [stores]
    assert stores.read_text() == "store_id,store_name,region\n1,North Gate,North\n"


def test_a_mapping_that_fails_leaves_every_extract_as_it_was(small_company: Company, data: Path) -> None:
    departments, stores = write_mapped_extracts(small_company, data)
    before = (departments.read_text(), stores.read_text())
    (data / "departments.csv").write_text("code\nD1\nD2\n")
    (data / "stores.csv").unlink()

    with pytest.raises(MappingError):
        write_mapped_extracts(small_company, data)

    assert (departments.read_text(), stores.read_text()) == before


def test_a_missing_data_folder_is_named(small_company: Company, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=f"{tmp_path / 'elsewhere'}: data folder not found"):
        write_mapped_extracts(small_company, tmp_path / "elsewhere")


def test_a_missing_file_is_named_with_the_query_that_needs_it(small_company: Company, data: Path) -> None:
    (data / "stores.csv").unlink()

    with pytest.raises(MappingError) as error:
        write_mapped_extracts(small_company, data)

    assert str(stores_sql(small_company)) in str(error.value)
    assert str(data / "stores.csv") in str(error.value)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1 as store_id, 2 as store_nam, 3 as region", "column store_nam is not in the contract"),
        ("select 1 as store_id, 3 as region", "required column store_name is missing"),
        ("select 1 as store_id, 2 as store_id, 2 as store_name, 3 as region", "column store_id is there 2 times"),
        ("select 1 as store_id, 2 as store_name, 0.5::double as region", "column region is a float"),
        ("select nme as store_name from read_csv(getvariable('data') || '/stores.csv')", '"nme" not found'),
        ("copy (select 1) to 'x.csv'", "must be one select statement"),
        ("select 1; select 2", "must be one select statement"),
        ("select 'x'::integer as store_id, 2 as store_name, 3 as region", "Could not convert string 'x'"),
        ("select content as store_id from read_text('{company_file}')", "disabled by configuration"),
    ],
)
def test_a_wrong_query_is_named_with_what_is_wrong(small_company: Company, data: Path, sql: str, message: str) -> None:
    company_file = small_company.folder / "company.yml"
    stores_sql(small_company).write_text(sql.replace("{company_file}", str(company_file)))

    with pytest.raises(MappingError) as error:
        write_mapped_extracts(small_company, data)

    assert str(error.value).startswith(f"{stores_sql(small_company)}: ")
    assert message in str(error.value)


def test_a_query_for_an_extract_outside_the_contract_is_named(small_company: Company, data: Path) -> None:
    stray = stores_sql(small_company).with_name("shops.sql")
    stray.write_text(STORES_SQL)

    with pytest.raises(MappingError, match=f"{stray}: the contract has no extract sales/shops"):
        write_mapped_extracts(small_company, data)


def test_a_company_without_queries_is_named(small_company: Company, data: Path) -> None:
    for path in (small_company.folder / "mapping").rglob("*.sql"):
        path.unlink()

    with pytest.raises(MappingError, match=f"{small_company.folder / 'mapping'}: no <source>/<extract>.sql"):
        write_mapped_extracts(small_company, data)
