"""Monthly files: full lists as the source systems know them on the day, leave, targets and mystery shopping."""

from __future__ import annotations

from datetime import date, timedelta

from orchestration.sample import layout as layouts
from orchestration.sample.scratch import CURRENCY_CODE
from orchestration.sample.spec import SampleSpec
from orchestration.sample.writer import ExtractWriter

EMAIL_DOMAIN = "chain.example"
RAISE_MONTH = 4
RAISE = "1.03"

STORES_SQL = """
select store_id, store_name, region, format, opened_on, if(closed_on <= date '{ahead}', closed_on, null) as closed_on
from stores where opened_on <= date '{ahead}'
"""
PRODUCTS_SQL = """
select product_id, product_name, category, money(cost_cents) as unit_cost from products
"""
CUSTOMERS_SQL = """
select
    customer_id, iso(registered_at) as registered_at, region, city, segment, acquisition_channel, contact,
    survey_consent
from customers where registered_on <= date '{day}'
"""
EMPLOYEES_SQL = f"""
select
    employee_id, full_name, hired_on, if(terminated_on <= date '{{day}}', terminated_on, null) as terminated_on,
    lower(employee_id) || '@{EMAIL_DOMAIN}' as email,
    (salary * {{salary_factor}})::decimal(18, 2) as salary_amount, '{CURRENCY_CODE}' as currency_code,
    'G' || grade as grade
from employees where hired_on <= date '{{day}}'
"""
ASSIGNMENTS_SQL = """
select
    e.employee_id, a.valid_from, a.department_code, a.job_role, s.store_id, m.employee_id as manager_id,
    a.fte::decimal(4, 2) as fte, if(a.valid_to <= date '{day}', a.valid_to, null) as valid_to
from assignments as a
inner join employees as e on e.employee_no = a.employee_no
left join employees as m on m.employee_no = a.manager_no
left join stores as s on s.store_no = a.store_no
where a.valid_from <= date '{day}'
"""
LEAVE_SQL = """
select l.leave_id, e.employee_id, l.starts_on, l.ends_on, l.leave_type
from leave as l inner join employees as e on e.employee_no = l.employee_no
where l.starts_on >= date '{start}' and l.starts_on < date '{end}'
"""


def write_personnel_lists(writer: ExtractWriter, day: date) -> None:
    """Employees and assignments as known on ``day``: what ends later is still open."""
    raised = day >= date(day.year, RAISE_MONTH, 1)
    factor = f"power({RAISE}, {day.year - 2025 if raised else day.year - 2026})"
    writer.write(layouts.EMPLOYEES, EMPLOYEES_SQL.format(day=day, salary_factor=factor), day)
    writer.write(layouts.ASSIGNMENTS, ASSIGNMENTS_SQL.format(day=day), day)


def write_monthly_files(writer: ExtractWriter, spec: SampleSpec, month: int) -> None:
    """The lists of one month: stores, products and departments at its start, people and customers at its end."""
    start, end = spec.month_starts[month], spec.month_end(month)
    last = end - timedelta(days=1)
    writer.write(layouts.STORES, STORES_SQL.format(ahead=start + timedelta(days=45)), start)
    writer.write(layouts.PRODUCTS, PRODUCTS_SQL, start)
    writer.write(layouts.DEPARTMENTS, "from departments", start)
    if month == 0:
        write_personnel_lists(writer, start)
    write_personnel_lists(writer, last)
    writer.write(layouts.CUSTOMERS, CUSTOMERS_SQL.format(day=last), last)
    writer.write(layouts.LEAVE, LEAVE_SQL.format(start=start, end=end), last)


def write_targets(writer: ExtractWriter, spec: SampleSpec) -> None:
    """Targets on the first day of each month, mystery shopping on its last."""
    for month, start in enumerate(spec.month_starts):
        last = spec.month_end(month) - timedelta(days=1)
        writer.write(layouts.TARGETS, f"from target_rows where period_start = date '{start}'", start)
        writer.write(layouts.MEASURE_VALUES, f"from measure_value_rows where period_start = date '{start}'", last)
