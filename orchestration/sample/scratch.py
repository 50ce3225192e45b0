"""The scratch database the facts are made in: parameters, small lists and customers loaded, then month by month.

Everything is a temporary table, so DuckDB keeps what fits in memory and spills the rest; only one month's facts and
what is due later exist at any moment.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.sample import catalogue
from orchestration.sample.comments import SLOTS, comment_slots
from orchestration.sample.customers import simulate_customers
from orchestration.sample.model import MODEL
from orchestration.sample.people import Staff, assignment_rows
from orchestration.sample.spec import SampleSpec

SQL_DIR = Path(__file__).resolve().parent / "sql"
UTC_OFFSET = "+08:00"
CURRENCY_CODE = "CNY"
MEMORY_LIMIT = "3GB"
# Below this a month is so few rows that a second thread has nothing to do and only costs (a fifth at scale 1).
CUSTOMERS_WORTH_THREADS = 100_000
# Orders a month per customer of the chain; what members do not buy, anonymous customers do.
ORDERS_PER_CUSTOMER_MONTH = 0.46
LEAST_ANONYMOUS_SHARE = 0.08
SEASON = (1.06, 0.94, 0.96, 0.97, 1.02, 1.08, 0.96, 0.97, 1.0, 1.04, 1.12, 1.05)
GOLD_SHARE_SCALE = 1.5
# Stores with a tablet at the till (as in the seed staff_identifiers), and the one with bursts of answers.
TABLET_STORES = ("S002", "S005")
BURST_STORE = 7
SILVER_SHARE_SCALE = 0.9


def _load(con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Create ``table`` from rows in Python; ``columns`` is its DDL column list."""
    con.execute(f"create temp table {table} ({columns})")
    values = [list(column) for column in zip(*rows, strict=True)]
    if values:
        arrow_rows = pa.table({f"c{position}": column for position, column in enumerate(values)})
        con.register("arrow_rows", arrow_rows)
        con.execute(f"insert into {table} from arrow_rows")
        con.unregister("arrow_rows")


def _set(con: duckdb.DuckDBPyConnection, **variables: Any) -> None:
    for name, value in variables.items():
        con.execute(f"set variable {name} = $value", {"value": value})


def _score_macro(name: str, lowest: int, cuts: Sequence[float]) -> str:
    steps = " + ".join(f"(latent > {cut})::integer" for cut in cuts)
    return f"create macro {name}(latent) as {lowest} + {steps}"


def run_sql(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run ``sql/<name>.sql``."""
    con.execute((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"))


def open_scratch(spec: SampleSpec, spill_dir: Path, threads: int | None) -> duckdb.DuckDBPyConnection:
    """A connection that works in memory up to a limit and spills to ``spill_dir``; ``threads`` None chooses by size."""
    config: dict[str, Any] = {"temp_directory": str(spill_dir), "memory_limit": MEMORY_LIMIT}
    if threads is None and spec.customer_count < CUSTOMERS_WORTH_THREADS:
        threads = 1
    if threads is not None:
        config["threads"] = threads
    return duckdb.connect(":memory:", config=config)


def load_chain(
    con: duckdb.DuckDBPyConnection, spec: SampleSpec, stores: Sequence[catalogue.Store], staff: Staff
) -> None:
    """Parameters, stores, products, people, customers with their purchase days, and the empty output tables."""
    mean_scale = MODEL.spend_v / (MODEL.spend_q - 1)
    _set(
        con,
        seed=str(spec.seed),
        first_day=spec.first_day,
        last_day=spec.last_day,
        utc_offset=UTC_OFFSET,
        currency_code=CURRENCY_CODE,
        gold_scale=GOLD_SHARE_SCALE * mean_scale,
        silver_scale=SILVER_SHARE_SCALE * mean_scale,
        ladder_base=catalogue.LADDER_BASE,
        ladder_step=catalogue.LADDER_STEP,
        top_rung=catalogue.LADDER_RUNGS - 1,
        comment_slots=SLOTS,
        self_filler=staff.self_filler.number,
        self_filler_device=self_filler_device(spec),
        tablet_stores=list(TABLET_STORES),
        burst_store=BURST_STORE,
        **{name: value for name, value in asdict(MODEL).items() if not isinstance(value, tuple)},
    )
    con.execute(_score_macro("csat_score", 1, MODEL.cuts(MODEL.csat_shares)))
    con.execute(_score_macro("nps_score", 0, MODEL.cuts(MODEL.nps_shares)))
    con.execute(_score_macro("ces_score", 1, MODEL.cuts(MODEL.ces_shares)))
    run_sql(con, "macros")

    _load(
        con,
        "stores",
        "store_no integer, store_id varchar, store_name varchar, region_no integer, region varchar, city varchar, "
        "format varchar, weight integer, opened_on date, closed_on date, effect double, rollout_on date",
        [
            (s.number, s.store_id, s.name, s.region_number, s.region, s.city, s.format, s.weight)
            + (s.opened_on, s.closed_on, s.effect, s.rollout_on)
            for s in stores
        ],
    )
    _load(
        con,
        "departments",
        "department_code varchar, department_name varchar, parent_code varchar",
        catalogue.DEPARTMENTS,
    )
    _load(
        con,
        "products",
        "rung integer, product_id varchar, product_name varchar, category varchar, price_cents bigint, "
        "cost_cents bigint",
        catalogue.make_products(),
    )
    _load(
        con,
        "employees",
        "employee_no integer, employee_id varchar, full_name varchar, hired_on date, terminated_on date, "
        "salary integer, grade integer, effect double, skill integer",
        [
            (p.number, p.employee_id, p.name, p.hired_on, p.terminated_on, p.salary, p.grade, p.effect, p.skill)
            for p in staff.people
        ],
    )
    skill = {person.number: person.skill for person in staff.people}
    _load(
        con,
        "assignments",
        "employee_no integer, valid_from date, department_code varchar, job_role varchar, store_no integer, "
        "region_no integer, manager_no integer, fte double, valid_to date, selling_weight integer",
        [(*row, max(1, round(row[7] * skill[row[0]]))) for row in assignment_rows(staff) if row[1] <= spec.last_day],
    )
    _load(
        con,
        "leave",
        "leave_id varchar, employee_no integer, starts_on date, ends_on date, leave_type varchar",
        [(leave.leave_id, leave.employee_number, leave.start, leave.end, leave.kind) for leave in staff.leaves],
    )
    days = [spec.first_day + timedelta(days=offset) for offset in range((spec.end - spec.first_day).days)]
    _load(con, "days", "day date", [(day,) for day in days])
    _load(con, "weight_copies", "copy integer", [(copy,) for copy in range(16)])
    _load(con, "self_filling_days", "day date", [(day,) for day in days if day.day in (14, 28)][4:])
    _load(con, "burst_days", "day date", [(day,) for day in days if day.day == 21][1:])
    _load(
        con,
        "comment_slots",
        "survey_code varchar, polarity varchar, language varchar, slot integer, theme varchar, sentence varchar",
        comment_slots(),
    )
    con.execute(
        "create temp table customer_latents (customer_no bigint, first_day integer, spend_scale double, buys boolean)"
    )
    con.execute(
        "create temp table member_orders (customer_no bigint, order_seq integer, day integer, drops_out boolean)"
    )
    for customer_chunk, order_chunk in simulate_customers(spec):
        con.register("customer_chunk", customer_chunk)
        con.register("order_chunk", order_chunk)
        con.execute("insert into customer_latents from customer_chunk")
        con.execute("insert into member_orders from order_chunk")
    con.unregister("customer_chunk")
    con.unregister("order_chunk")
    run_sql(con, "setup")


def self_filler_device(spec: SampleSpec) -> str:
    """Device on which the employee fills in own surveys."""
    return f"dev-{random.Random(f'{spec.seed}/self filler').getrandbits(48):012x}"


def generate_month(con: duckdb.DuckDBPyConnection, spec: SampleSpec, month: int) -> None:
    """Add the events that come of one month's orders to the output tables, later ones included."""
    start, end = spec.month_starts[month], spec.month_end(month)
    days = [start + timedelta(days=offset) for offset in range((end - start).days)]
    full_month = (date(start.year + start.month // 12, start.month % 12 + 1, 1) - start).days
    wanted = spec.customer_count * ORDERS_PER_CUSTOMER_MONTH * SEASON[start.month - 1] * len(days) / full_month
    row = con.execute(
        "select count(*) from member_orders where day >= $from and day < $to",
        {"from": (start - spec.first_day).days, "to": (end - spec.first_day).days},
    ).fetchone()
    assert row is not None
    anonymous = max(math.ceil(wanted) - row[0], math.ceil(LEAST_ANONYMOUS_SHARE * wanted))
    _set(
        con,
        month_start=start,
        month_end=end,
        anonymous_orders=anonymous,
        anonymous_days=[day for day in days for _ in range(3 if day.weekday() >= 5 else 2)],
    )
    for name in ("orders", "lines", "service", "survey"):
        run_sql(con, name)
