"""How long the open period's scorecards and statements take for 50,000 people with 24 months of results.

The models run as dbt compiles them, on a file, and are held against what nobody can do without: reading the results of
24 months once and writing the tables that come out. Months but the last are closed, so that none of them is computed.

    python -m benchmarks.pay [people] [months]
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company
from tests.pay.pay_models import MODELS, compiled_pay_models

RESULTS = (
    "int_scorecard_lines_scored",
    "int_scorecard_domains_scored",
    "int_scorecards_totalled",
    "int_plan_parts_pooled",
    "int_statement_lines_allocated",
)


def _fill(connection: duckdb.DuckDBPyConnection, people: int, months: int) -> None:
    """People of two roles in 500 stores, four measures each, salaries and a plan with a gate."""
    last = "date '2025-12-01'"
    connection.execute(f"""
        insert into warehouse.intermediate.int_periods_judged
        select 'month', {last}, {last} + interval 1 month, 31, true, false, false;
        insert into warehouse.intermediate.int_assignments_bounded
        select 'E' || i, 'sales', case when i % 10 = 0 then 'manager' else 'seller' end, 'S' || (i % 500), null, 1,
               date '2023-01-01', date '9999-12-31' from range({people}) as people(i);
        insert into warehouse.staging.stg_sales__stores select 'S' || i, 'R' || (i % 10) from range(500) as stores(i);
        insert into warehouse.staging.stg_hr__employees select 'E' || i, 'G1' from range({people}) as people(i);
        insert into warehouse.intermediate.int_salaries_dated
        select 'E' || i, 5000 + i % 3000, 'CNY', date '2020-01-01', date '9999-12-31' from range({people}) as people(i);
        insert into warehouse.intermediate.int_absences_merged
        select 'E' || i, date '2025-12-10', date '2025-12-13' from range({people}) as people(i) where i % 20 = 0;
        insert into warehouse.policy.scoring_curves (curve_code, interpolation, attainment, factor, valid_from)
        values ('points', 'linear', 0.5, 0, date '2020-01-01'), ('points', 'linear', 1, 1, date '2020-01-01'),
               ('points', 'linear', 1.5, 1.5, date '2020-01-01');
        insert into warehouse.policy.scorecard_templates (
            subject_type, subject_code, period_type, measure_code, weight, measured_at, scoring_method, curve_code,
            valid_from
        )
        select 'employee', role, 'month', measure, 0.25, 'own', 'curve', 'points', date '2020-01-01'
        from (values ('seller'), ('manager')) as roles(role)
        cross join (values ('revenue'), ('csat'), ('nps'), ('return_rate')) as measures(measure);
        insert into warehouse.policy.incentive_plans (
            plan_code, job_role, period_type, base_type, base_value, score_curve_code, gate_measure_code,
            gate_measured_at, gate_minimum, gate_factor, gate_effect, cap_factor, currency_code, valid_from
        )
        select role || '_month', role, 'month', 'salary_share', 0.2, 'points', 'csat', 'own', 0.6, 0.5, 'share', 1.5,
               'CNY', date '2020-01-01' from (values ('seller'), ('manager')) as roles(role);
        insert into warehouse.intermediate.int_kpis_valued (
            measure_code, level, entity_id, period_type, period_start, period_end, is_complete, value, numerator,
            denominator, value_scale, n, is_reportable, is_shown, direction, target, definition_version
        )
        select measure, 'employee', 'E' || i, 'month', {last} - m * interval 1 month,
               {last} - (m - 1) * interval 1 month, true, 0.5 + (i * 37 + m) % 50 / 100.0, 50 + (i * 37 + m) % 50,
               100, 1, 10 + (i + m) % 90, (i + m) % 90 >= 20, true, 'higher_is_better', 0.75, '1'
        from range({months}) as months(m), range({people}) as people(i),
             (values ('revenue'), ('csat'), ('nps'), ('return_rate')) as measures(measure);
    """)


def _seconds(connection: duckdb.DuckDBPyConnection, statements: list[str]) -> float:
    started = time.perf_counter()
    for statement in statements:
        connection.execute(statement)
    return time.perf_counter() - started


def main(people: int = 50_000, months: int = 24, rounds: int = 5) -> None:
    """Run both sides in turn and print the report."""
    with tempfile.TemporaryDirectory() as name:
        models = compiled_pay_models(copy_company(PROJECT_DIR, Path(name) / "company"))
        connection = models.empty(Path(name) / "bench.duckdb", threads=os.cpu_count() or 1)
        connection.execute("set preserve_insertion_order = false")
        _fill(connection, people, months)
        connection.execute("checkpoint warehouse")
        computed, read_and_written = [], []
        create = [f"create or replace table {relation} as {query}" for relation, query in models.queries.values()]
        relations = {model: models.queries[model][0] for model in MODELS}
        once = [
            "create or replace table warehouse.main.read_once as select * from warehouse.intermediate.int_kpis_valued"
        ]
        once += [f"create or replace table warehouse.main.{m} as select * from {relations[m]}" for m in RESULTS]
        for _ in range(rounds):
            computed.append(_seconds(connection, create))
            read_and_written.append(_seconds(connection, once))
        counts = {
            model: connection.execute(f"select count(*) from {relations[model]}").fetchall()[0][0] for model in RESULTS
        }
        rows = connection.execute("select count(*) from warehouse.intermediate.int_kpis_valued").fetchall()[0][0]
        connection.close()
    ratios = sorted(a / b for a, b in zip(computed, read_and_written, strict=True))
    print(f"# Pay of the open period, {people:,} people, {months} months\n")
    print(
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, DuckDB {duckdb.__version__}, {rounds} rounds in turn.\n"
    )
    print("| what | seconds (least of the rounds) |\n|---|---|")
    print(f"| read {rows:,} result rows once and write the tables that come out | {min(read_and_written):.2f} |")
    print(f"| scorecards and statements of the open period ({len(MODELS)} models) | {min(computed):.2f} |")
    print(f"\nRatio: median {ratios[len(ratios) // 2]:.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}.\n")
    print("Rows written: " + ", ".join(f"{model} {count:,}" for model, count in counts.items()) + ".")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
