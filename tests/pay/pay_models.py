"""The pay models as dbt compiles them, run on small tables in one memory database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from expectations.policy import seed_forms
from orchestration.settings import Company
from orchestration.transform import compile_models

# In the order they depend on each other.
MODELS = (
    "int_assignments_parted",
    "int_curve_segments_bounded",
    "int_scorecard_subjects_listed",
    "int_scorecard_lines_measured",
    "int_scorecard_lines_attained",
    "int_scorecard_lines_scored",
    "int_scorecard_domains_scored",
    "int_scorecards_totalled",
    "int_plan_parts_assigned",
    "int_commission_lines_earned",
    "int_plan_modifiers_matched",
    "int_plan_parts_based",
    "int_plan_parts_paid",
    "int_plan_parts_pooled",
    "int_statement_lines_allocated",
)
_SEEDS = ("measures", "scorecard_templates", "scoring_curves", "incentive_plans", "plan_modifiers")
_INPUTS = {
    "intermediate.int_periods_judged": (
        "period_type varchar, period_start date, period_end date, period_days bigint, is_complete boolean, "
        "is_closed boolean, has_late_data boolean"
    ),
    "intermediate.int_assignments_bounded": (
        "employee_id varchar, department_code varchar, job_role varchar, store_id varchar, manager_id varchar, "
        "fte decimal(18, 4), valid_from date, valid_to date"
    ),
    "staging.stg_sales__stores": "store_id varchar, region varchar",
    "staging.stg_sales__customers": "customer_id varchar, segment varchar",
    "staging.stg_hr__employees": "employee_id varchar, grade varchar",
    "intermediate.int_absences_merged": "employee_id varchar, starts_on date, ends_on date",
    "intermediate.int_salaries_dated": (
        "employee_id varchar, salary_amount decimal(18, 4), currency_code varchar, valid_from date, valid_to date"
    ),
    "intermediate.int_measure_values_dated": (
        "measure_code varchar, level varchar, entity_id varchar, period_type varchar, period_start date, "
        "value decimal(28, 14), is_pay_parameter boolean"
    ),
    "intermediate.int_kpis_counted_daily": (
        "measure_code varchar, date_day date, employee_id varchar, numerator decimal(28, 4)"
    ),
    "intermediate.int_sales_credited": (
        "order_id varchar, line_no integer, date_day date, customer_id varchar, employee_id varchar, "
        "share decimal(12, 10), quantity decimal(18, 4), credited_amount decimal(18, 4), exclusion_reason varchar"
    ),
    "intermediate.int_kpis_estimated": "level varchar, entity_id varchar, period_type varchar, period_start date",
    "intermediate.int_kpis_valued": (
        "measure_code varchar, level varchar, entity_id varchar, period_type varchar, period_start date, "
        "period_end date, is_complete boolean, value decimal(38, 12), numerator decimal(28, 4), "
        "denominator decimal(28, 4), value_scale integer, n bigint, ci_low double, ci_high double, "
        "is_reportable boolean, is_shown boolean, direction varchar, delivered_value decimal(28, 14), "
        "baseline decimal(18, 4), floor decimal(18, 4), threshold decimal(18, 4), target decimal(18, 4), "
        "definition_version varchar"
    ),
    "intermediate.int_kpis_shrunken": (
        "measure_code varchar, level varchar, entity_id varchar, period_type varchar, period_start date, "
        "shrunken_value double, shrunken_sd double"
    ),
}

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class PayModels:
    """Compiled queries by model, with the relation each one fills."""

    queries: dict[str, tuple[str, str]]

    def empty(self, path: Path | None = None, threads: int = 1) -> duckdb.DuckDBPyConnection:
        """A database, in memory or at ``path``, with the empty tables that the models read."""
        connection = duckdb.connect(":memory:", config={"threads": threads})
        connection.execute(f"attach '{path or ':memory:'}' as warehouse")
        for schema in ("staging", "policy", "intermediate", "intermediate_incentives"):
            connection.execute(f"create schema warehouse.{schema}")
        for relation, columns in _definitions().items():
            connection.execute(f"create table warehouse.{relation} ({columns})")
        return connection

    def run(self, rows: Rows, threads: int = 1) -> duckdb.DuckDBPyConnection:
        """A database in which the models were built from ``rows`` (by table name); what is not given is empty."""
        connection = self.empty(threads=threads)
        for relation in _definitions():
            for row in rows.get(relation.split(".")[1], []):
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"insert into warehouse.{relation} ({', '.join(row)}) values ({marks})", list(row.values())
                )
        for relation, query in self.queries.values():
            connection.execute(f"create table {relation} as {query}")
        return connection


def _definitions() -> dict[str, str]:
    """Columns of every table that the models read, seeds by their form."""
    seeds = {
        f"{form.folder}.{form.name}": ", ".join(f"{column.name} {column.data_type}" for column in form.columns)
        for form in seed_forms()
        if form.name in _SEEDS
    }
    return _INPUTS | seeds


def compiled_pay_models(company: Company) -> PayModels:
    """Compile the project's own models once."""
    company.state_dir.mkdir(parents=True, exist_ok=True)
    nodes = compile_models(company, MODELS)
    return PayModels({name: nodes[name] for name in MODELS})
