"""50 million touches: journeys, transitions and touchpoint health against one hand-written window query over the same touches
that only counts transitions; and one new day on top.

    .venv/bin/python -m benchmarks.journeys [touches]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
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
    "run", "--select",
    "int_journey_customers_touched", "int_touches_sequenced", "int_journeys_summed", "int_journey_customers_counted",
    "int_transitions_listed", "int_touchpoint_events_listed", "int_journey_periods_touched", "int_transitions_counted",
    "int_touchpoints_counted", "int_journey_periods_counted", "transitions", "touchpoint_health", "journeys",
)  # fmt: skip

# Customers have 20 touches on average over two years; the last day can be left out and added.
TOUCHES_SQL = """
insert into intermediate.int_touches_linked by name
with touches as (
    select
        i as no,
        date '2024-11-01' + (hash(i, 1) % 730)::integer as occurred_on,
        hash(i, 2) % ($touches // 20) as customer_no,
        (hash(i, 3) % 9)::integer as kind,
        hash(i, 4) % 400 as store_no,
        ['web_visit', 'ad_view', 'store_enquiry', 'checkout_till', 'checkout_online', 'delivery', 'installation',
         'service_call', 'return_desk'] as codes,
        ['contact', 'contact', 'contact', 'purchase', 'purchase', 'use', 'use', 'after_sales', 'after_sales'] as stages,
    from range($touches) as t(i)
)
select
    'interaction/x' || no as event_id, 'interaction' as source_code, 'x' || no as source_id, 1 as record_count,
    occurred_on + to_seconds((hash(no, 5) % 57600)::bigint) as occurred_at, occurred_on,
    date_trunc('month', occurred_on)::date as month_start, date_trunc('quarter', occurred_on)::date as quarter_start,
    codes[kind + 1] as touchpoint_code, stages[kind + 1] as stage_code, 'C' || customer_no as customer_id,
    'customer_id' as link_rule, ['gold', 'silver', 'standard'][1 + (customer_no % 3)::integer] as segment,
    's' || store_no as store_id, 'r' || store_no % 4 as region,
    case when kind in (3, 4) then 100.0 end as order_amount,
from touches
where case $part when 'history' then occurred_on < date '2026-10-31' else occurred_on = date '2026-10-31' end
"""
HAND_WRITTEN = """
create or replace table by_hand as
with ordered as (
    select
        customer_id, occurred_at, touchpoint_code, month_start,
        lag(occurred_at) over customer_touches as previous_at,
        lead(occurred_at) over customer_touches as next_at,
        lead(touchpoint_code) over customer_touches as next_code
    from intermediate.int_touches_linked
    window customer_touches as (partition by customer_id order by occurred_at, event_id)
)
select
    month_start, touchpoint_code,
    case when next_at - occurred_at <= interval 14 day then next_code else 'end' end as next_code,
    count(*) as moves, median(date_diff('second', occurred_at, next_at)) as median_seconds
from ordered group by all
"""


def timed(what: str, act: object) -> float:
    started = time.perf_counter()
    assert callable(act)
    act()
    seconds = time.perf_counter() - started
    print(f"{what:<58} {seconds:9.1f} s", flush=True)
    return seconds


def dbt(company: Company, *command: str) -> None:
    result = run_dbt(company, *command)
    assert result.success, (result.exception, [r.message for r in result.result.results if r.message])


def add(company: Company, touches: int, part: str) -> None:
    with duckdb.connect(str(company.warehouse_path)) as connection:
        connection.execute(TOUCHES_SQL, {"touches": touches, "part": part})


def by_hand(company: Company) -> None:
    with duckdb.connect(str(company.warehouse_path)) as connection:
        connection.execute(HAND_WRITTEN)


def main(touches: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = copy_company(PROJECT_DIR, Path(folder) / "company")
        company.extracts_dir.mkdir(parents=True)
        land(company)
        with duckdb.connect(str(company.warehouse_path)) as connection:
            register(connection)
            connection.execute("create schema if not exists control")
            connection.execute(
                "create table control.night as select date '2026-10-31' as as_of, "
                "timestamp '2026-10-31 16:00:00' as known_until, 'one' as code_version"
            )
            write_ledger_tables(company, connection)
            keep_published_value(connection, company)
        dbt(company, "seed")
        dbt(company, "run", "--empty")
        dbt(company, "run", "--select", "int_journey_settings_listed", "int_journey_gaps_dated", "int_days_dated")
        print(f"{touches:,} touches, {os.cpu_count()} cores, DuckDB {duckdb.__version__}")
        add(company, touches, "history")
        hand = timed("one window query, all touches", lambda: by_hand(company))
        whole = timed("journeys, transitions, health: all touches", lambda: dbt(company, *CHAIN))
        add(company, touches, "day")
        day = timed("journeys, transitions, health: one new day", lambda: dbt(company, *CHAIN))
        rest = timed("nothing new", lambda: dbt(company, *CHAIN))
        print(f"all over one window query   {whole / hand:6.2f}")
        print(f"one new day over all        {day / whole:6.2f}")
        print(f"nothing new over all        {rest / whole:6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000_000)
