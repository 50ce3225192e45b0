"""5 million answers over two years: the whole chain from scored answers to results against hand-written SQL that
computes only value, n and interval for the same entities and periods; and one new day on top. Seconds are those of the
clock and of the processor, which others on the machine change less.

    .venv/bin/python -m benchmarks.survey_marts [answers]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.functions.plugin import register
from orchestration.landing import land
from orchestration.ledger.warehouse_tables import write_ledger_tables
from orchestration.settings import PROJECT_DIR, Company
from orchestration.transform import run_dbt
from orchestration.value.published import keep_published_value
from tests.conftest import copy_company

CHAIN = (
    "run", "--select", "int_survey_days_touched+",
    "--exclude", "marts.scorecard", "intermediate.scorecards", "integrity_effects", "tag:incentives",
)  # fmt: skip
LEVELS = {
    "company": "'company'",
    "region": "region",
    "store": "store_id",
    "department": "department_code",
    "employee": "employee_id",
    "touchpoint": "touchpoint_code",
    "segment": "segment",
    "channel": "channel",
}
PERIODS = {
    "day": "submitted_on",
    "month": "date_trunc('month', submitted_on)",
    "quarter": "date_trunc('quarter', submitted_on)",
}

# 400 stores, 2,000 employees, three questions per response; the last of 730 days can be left out and added.
ANSWERS_SQL = """
insert into intermediate.int_answers_scored by name
with responses as (
    select
        i as no,
        'r' || i as response_id,
        date '2025-01-01' + (hash(i, 1) % 730)::integer as submitted_on,
        hash(i, 2) % 2000 as employee_no,
        ['checkout_till', 'checkout_online', 'delivery', 'service_call'][1 + (hash(i, 3) % 4)::integer] as touchpoint_code,
        ['gold', 'silver', 'standard'][1 + (hash(i, 4) % 3)::integer] as segment,
        ['qr', 'sms', 'app', 'email'][1 + (hash(i, 5) % 4)::integer] as channel,
        hash(i, 6) % 50 = 0 as is_excluded
    from range($responses) as r(i)
),

scored as (
    select r.*, m.measure_code, (hash(r.no, m.measure_code) % 100)::integer + (employee_no % 10)::integer as drawn
    from responses as r
    cross join (values ('csat'), ('nps'), ('ces')) as m(measure_code)
)

select
    response_id, measure_code as question_code, measure_code, submitted_on,
    's' || (employee_no % 400) as store_id, 'region' || (employee_no % 4) as region, 'e' || employee_no as employee_id,
    ['sales', 'service', 'logistics', 'online', 'marketing'][1 + (employee_no % 5)::integer] as department_code,
    touchpoint_code, segment, channel,
    (drawn % 5) * 25 as normalised_score, drawn > 35 as is_top_box, drawn < 15 as is_bottom_box,
    1.0 + (drawn % 3) * 0.25 as weight, if(is_excluded, 'burst', null) as exclusion_reason, is_excluded as is_screened,
    hash(response_id, measure_code, drawn)::decimal(38, 0) as row_stamp
from scored where (submitted_on < date '2026-12-31') = $is_old
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock, of the processor, and by node (two run at a time)."""

    clock: float
    processor: float
    nodes: dict[str, float]


def _dbt(company: Company, *command: str) -> Cost:
    """Run a command of dbt on a project it has read already."""
    manifest = run_dbt(company, "parse").result
    processor = time.process_time()
    result = run_dbt(company, *command, manifest=manifest)
    processor = time.process_time() - processor
    if not result.success:
        raise SystemExit(f"dbt failed: {result.exception} {[r.message for r in result.result.results if r.message]}")
    nodes = getattr(result.result, "results", [])
    timed = [step for node in nodes for step in node.timing if step.started_at and step.completed_at]
    clock = max(step.completed_at for step in timed) - min(step.started_at for step in timed)
    return Cost(clock.total_seconds(), processor, {node.node.name: node.execution_time for node in nodes})


def _connect(company: Company) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(company.warehouse_path))
    register(connection)
    return connection


def prepare(folder: Path, responses: int) -> Company:
    """A warehouse with all tables, empty but for the calendar, the peers and the answers up to the last day but one."""
    company = copy_company(PROJECT_DIR, folder / "company")
    company.extracts_dir.mkdir(parents=True)
    land(company)
    with _connect(company) as con:
        con.execute("create schema control")
        con.execute(
            "create table control.night as select date '2026-12-31' as as_of, "
            "timestamp '2026-12-31 16:00:00' as known_until, 'one' as code_version"
        )
        write_ledger_tables(company, con)
        keep_published_value(con, company)
    _dbt(company, "seed")
    _dbt(company, "run", "--empty")
    with _connect(company) as con:
        con.execute(
            """
            insert into intermediate.int_days_dated by name
            select
                d::date as date_day, date_trunc('month', d)::date as month_start,
                (date_trunc('month', d) + interval 1 month)::date as month_end,
                date_trunc('quarter', d)::date as quarter_start,
                (date_trunc('quarter', d) + interval 3 month)::date as quarter_end
            from generate_series(date '2025-01-01', date '2026-12-31', interval 1 day) as g(d);
            insert into intermediate.int_periods_listed by name
            select 'day' as period_type, date_day as period_start, date_day + 1 as period_end, true as is_complete
            from intermediate.int_days_dated
            union all select distinct 'month', month_start, month_end, true from intermediate.int_days_dated
            union all select distinct 'quarter', quarter_start, quarter_end, true from intermediate.int_days_dated;
            insert into intermediate.int_employees_peered by name
            select 'e' || e as employee_id, period_type, period_start, 'role' || (e % 5) as job_role
            from range(2000) as r(e) cross join intermediate.int_periods_listed where period_type != 'day';
            """
        )
        con.execute(ANSWERS_SQL, {"responses": responses, "is_old": True})
    return company


def hand_written(company: Company) -> Cost:
    """The cost of value, n and interval of the same entities and periods, straight from the answers."""
    parts = [
        f"select measure_code, '{level}' as level, {entity} as entity_id, '{period}' as period_type, {start} as period_start, "
        "count(*) as n, count(*) filter (is_top_box) as p, count(*) filter (is_bottom_box) as d "
        "from intermediate.int_answers_scored where exclusion_reason is null group by all"
        for level, entity in LEVELS.items()
        for period, start in PERIODS.items()
    ]
    query = f"""
        create or replace table main.by_hand as
        select *,
            case when measure_code = 'nps' then 100 * (p - d) / n else p / n end as value,
            case when measure_code = 'nps'
                then 100 * ((p - d) / (n + 3) - 1.96 * sqrt(((p + d + 1.5) / (n + 3) - pow((p - d) / (n + 3), 2)) / (n + 3)))
                else (p / n + 1.92 / n - 1.96 * sqrt(p / n * (1 - p / n) / n + 0.96 / (n * n))) / (1 + 3.84 / n) end as ci_low,
            case when measure_code = 'nps'
                then 100 * ((p - d) / (n + 3) + 1.96 * sqrt(((p + d + 1.5) / (n + 3) - pow((p - d) / (n + 3), 2)) / (n + 3)))
                else (p / n + 1.92 / n + 1.96 * sqrt(p / n * (1 - p / n) / n + 0.96 / (n * n))) / (1 + 3.84 / n) end as ci_high
        from ({" union all ".join(parts)})
    """
    with _connect(company) as con:
        con.execute("set preserve_insertion_order = false")
        clock, processor = time.perf_counter(), time.process_time()
        con.execute(query)
        return Cost(time.perf_counter() - clock, time.process_time() - processor, {})


def main() -> None:
    """Measure and print."""
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        company = prepare(Path(folder), answers // 3)
        before = hand_written(company)
        full = _dbt(company, *CHAIN)
        after = hand_written(company)
        with _connect(company) as con:
            rows = con.execute(
                "select (select count(*) from main.by_hand), (select count(*) from intermediate.int_kpis_valued "
                "where measure_code in ('csat', 'nps', 'ces'))"
            ).fetchall()[0]
            differ = con.execute(
                "select count(*) from main.by_hand as h full join (select * from intermediate.int_kpis_valued "
                "where measure_code in ('csat', 'nps', 'ces') and n > 0) as v "
                "using (measure_code, level, entity_id, period_type, period_start) "
                "where h.n is distinct from v.n or abs(h.value - v.value) > 1e-6"
            ).fetchall()[0][0]
            con.execute(ANSWERS_SQL, {"responses": answers // 3, "is_old": False})
        new_day = _dbt(company, *CHAIN)
    print(f"machine               {os.cpu_count()} cores")
    print(f"answers               {answers:,}")
    print(
        f"results               {rows[0]:,} by hand, {rows[1]:,} by the models (with excluded-only ones); {differ} differ"
    )
    by_hand = Cost((before.clock + after.clock) / 2, (before.processor + after.processor) / 2, {})
    for name, cost in (("hand-written SQL", by_hand), ("full build of models", full), ("one new day", new_day)):
        print(f"{name:<21} {cost.clock:7.2f} s clock, {cost.processor:7.2f} s processor")
    for unit in ("clock", "processor"):
        seconds = [getattr(cost, unit) for cost in (by_hand, full, new_day)]
        print(f"by the {unit:<14} full build {seconds[1] / seconds[0]:.2f} times by hand (at most 3), "
              f"new day 1/{seconds[1] / seconds[2]:.1f} of the full build (at most 1/20)")  # fmt: skip
    for name, spent in full.nodes.items():
        print(f"  {name:<42} {spent:6.2f} {new_day.nodes[name]:6.2f}")


if __name__ == "__main__":
    main()
