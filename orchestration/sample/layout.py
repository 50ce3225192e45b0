"""How each extract is delivered: format, column names and order of rows, as the delivering system would do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

# The personnel system delivers Chinese column names; the extract contract lists them as accepted headers.
HR_HEADERS = {
    "department_code": "部门编码",
    "department_name": "部门名称",
    "parent_code": "上级部门编码",
    "employee_id": "工号",
    "full_name": "姓名",
    "hired_on": "入职日期",
    "terminated_on": "离职日期",
    "email": "邮箱",
    "salary_amount": "月薪",
    "currency_code": "币种",
    "grade": "职级",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
    "job_role": "岗位",
    "store_id": "门店编号",
    "manager_id": "上级工号",
    "fte": "用工比例",
    "leave_id": "请假编号",
    "starts_on": "开始日期",
    "ends_on": "结束日期",
    "leave_type": "请假类型",
    "measure_code": "指标编码",
    "level": "层级",
    "entity_id": "对象编号",
    "period_start": "期间开始",
    "target": "目标值",
    "threshold": "门槛值",
    "stretch": "挑战值",
    "value": "数值",
    "n": "样本量",
    "floor": "下限",
    "benchmark": "标杆值",
    "baseline": "基线值",
}


@dataclass(frozen=True)
class Layout:
    """One extract's files. ``sort`` orders the rows of a file and has no ties."""

    source: str
    extract: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    sort: tuple[str, ...]
    suffix: str = "csv"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``sales/order_lines``."""
        return f"{self.source}/{self.extract}"

    def path(self, delivered_on: date, part: str = "") -> Path:
        """File below the extracts folder; the date in its name is the day of delivery."""
        stem = f"{self.extract}_{delivered_on.isoformat()}" + (f"_{part}" if part else "")
        return Path(self.source, self.extract, f"{stem}.{self.suffix}")

    def select_list(self) -> str:
        """SQL select list from canonical names to the delivered headers."""
        return ", ".join(f'{column} as "{self.headers.get(column, column)}"' for column in self.columns)


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


CUSTOMERS = Layout(
    "sales",
    "customers",
    _columns("customer_id registered_at region city segment acquisition_channel contact survey_consent"),
    key=("customer_id",),
    sort=("customer_id",),
    suffix="csv.gz",
)
PRODUCTS = Layout(
    "sales",
    "products",
    _columns("product_id product_name category unit_cost"),
    key=("product_id",),
    sort=("product_id",),
    suffix="parquet",
)
STORES = Layout(
    "sales",
    "stores",
    _columns("store_id store_name region format opened_on closed_on"),
    key=("store_id",),
    sort=("store_id",),
)
ORDER_LINES = Layout(
    "sales",
    "order_lines",
    _columns(
        "order_id line_no ordered_at store_id product_id quantity unit_price currency_code customer_id employee_id "
        "channel discount_amount"
    ),
    key=("order_id", "line_no"),
    sort=("rank", "ordered_at", "order_id", "line_no"),
)
RETURNS = Layout(
    "sales",
    "returns",
    _columns("return_id order_id line_no returned_at quantity refund_amount reason_code"),
    key=("return_id",),
    sort=("returned_at", "return_id"),
)
DEPARTMENTS = Layout(
    "hr",
    "departments",
    _columns("department_code department_name parent_code"),
    key=("department_code",),
    sort=("department_code",),
    headers=HR_HEADERS,
)
EMPLOYEES = Layout(
    "hr",
    "employees",
    _columns("employee_id full_name hired_on terminated_on email salary_amount currency_code grade"),
    key=("employee_id",),
    sort=("employee_id",),
    headers=HR_HEADERS,
)
ASSIGNMENTS = Layout(
    "hr",
    "assignments",
    _columns("employee_id valid_from department_code job_role store_id manager_id fte valid_to"),
    key=("employee_id", "valid_from"),
    sort=("employee_id", "valid_from"),
    headers=HR_HEADERS,
)
LEAVE = Layout(
    "hr",
    "leave",
    _columns("leave_id employee_id starts_on ends_on leave_type"),
    key=("leave_id",),
    sort=("leave_id",),
    headers=HR_HEADERS,
)
TARGETS = Layout(
    "hr",
    "targets",
    _columns("measure_code level entity_id period_start target threshold stretch"),
    key=("measure_code", "level", "entity_id", "period_start"),
    sort=("measure_code", "level", "entity_id", "period_start"),
    headers=HR_HEADERS,
)
MEASURE_VALUES = Layout(
    "hr",
    "measure_values",
    _columns("measure_code level entity_id period_start value n floor threshold benchmark baseline"),
    key=("measure_code", "level", "entity_id", "period_start"),
    sort=("measure_code", "level", "entity_id", "period_start"),
    headers=HR_HEADERS,
)
INVITATIONS = Layout(
    "survey",
    "invitations",
    _columns("invitation_id survey_code channel sent_at customer_id order_id store_id employee_id touchpoint_code"),
    key=("invitation_id",),
    sort=("sent_at", "invitation_id"),
    suffix="csv.gz",
)
RESPONSES = Layout(
    "survey",
    "responses",
    _columns(
        "response_id survey_code channel submitted_at invitation_id customer_id order_id store_id employee_id "
        "touchpoint_code started_at device_id network_id qr_token language"
    ),
    key=("response_id",),
    sort=("rank", "submitted_at", "response_id"),
)
ANSWERS = Layout(
    "survey",
    "answers",
    _columns("response_id question_code score answer_text"),
    key=("response_id", "question_code"),
    sort=("rank", "submitted_at", "response_id", "question_no"),
)
TICKETS = Layout(
    "service",
    "tickets",
    _columns(
        "ticket_id opened_at channel reason_code customer_id order_id store_id employee_id department_code "
        "first_response_at resolved_at"
    ),
    key=("ticket_id",),
    sort=("opened_at", "ticket_id"),
)
INTERACTIONS = Layout(
    "service",
    "interactions",
    _columns(
        "interaction_id occurred_at touchpoint_code channel customer_id store_id employee_id campaign_code item_code"
    ),
    key=("interaction_id",),
    sort=("occurred_at", "interaction_id"),
    suffix="parquet",
)
CASE_OUTCOMES = Layout(
    "service",
    "case_outcomes",
    _columns("case_id handled_at outcome_code handled_by comment"),
    key=("case_id",),
    sort=("handled_at", "case_id"),
)
LAYOUTS = (
    CUSTOMERS,
    PRODUCTS,
    STORES,
    ORDER_LINES,
    RETURNS,
    DEPARTMENTS,
    EMPLOYEES,
    ASSIGNMENTS,
    LEAVE,
    TARGETS,
    MEASURE_VALUES,
    INVITATIONS,
    RESPONSES,
    ANSWERS,
    TICKETS,
    INTERACTIONS,
    CASE_OUTCOMES,
)
