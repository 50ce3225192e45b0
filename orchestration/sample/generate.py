"""Generates the sample chain: people and customers once, facts month by month, every file at its place, the truth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.sample import layout as layouts
from orchestration.sample.catalogue import make_stores
from orchestration.sample.defects import DefectPlanter
from orchestration.sample.layout import LAYOUTS, Layout
from orchestration.sample.people import make_staff
from orchestration.sample.scratch import generate_month, load_chain, open_scratch, run_sql
from orchestration.sample.snapshots import write_monthly_files, write_targets
from orchestration.sample.spec import SampleSpec, SampleSummary
from orchestration.sample.truth import TRUTH_FILE, money_text, write_truth
from orchestration.sample.writer import ExtractWriter, appearing_at_once

# Written when their month is complete; touches before an order reach back a month, so those wait one longer.
EVENT_TABLES: tuple[tuple[Layout, str], ...] = (
    (layouts.ORDER_LINES, "order_lines_out"),
    (layouts.RETURNS, "returns_out"),
    (layouts.INVITATIONS, "invitations_out"),
    (layouts.RESPONSES, "responses_out"),
    (layouts.ANSWERS, "answers_out"),
    (layouts.TICKETS, "tickets_out"),
    (layouts.CASE_OUTCOMES, "case_outcomes_out"),
)
ACCEPTED_KINDS = ("base", "late", "superseded")
CURRENT_KINDS = ("base", "late", "correction")
UNIQUE_KEYS_SQL = """
select
    (select count(*) from customers), (select count(*) from products),
    (select count(*) from stores where opened_on <= $last_stores_file), (select count(*) from departments),
    (select count(*) from employees), (select count(*) from assignments), (select count(*) from target_rows)
"""


class _Tally:
    """Counts of rows by fate and cents of revenue, taken before rows are written and dropped."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.revenue_cents = 0
        self.refund_cents = 0
        con.execute("create temp table earlier_sales (return_id varchar, refund_cents bigint)")

    def count(self, before: date) -> None:
        """Add what is about to be written."""
        for layout, table in ((layouts.ORDER_LINES, "order_lines_out"), (layouts.ANSWERS, "answers_out")):
            rows = self.con.execute(
                f"select kind, count(*) from {table} where delivered_on < $before group by kind", {"before": before}
            ).fetchall()
            for kind, count in rows:
                self.kinds[layout.name, kind] += count
        self.revenue_cents += self._sum(
            f"select sum(net_cents) from order_lines_out where delivered_on < $before and kind in {CURRENT_KINDS}",
            before,
        )
        self.refund_cents += self._sum("select sum(refund_cents) from returns_out where delivered_on < $before", before)
        self.kinds[layouts.TICKETS.name, "update"] += self._sum(
            "select count(*) from tickets_out where is_update and delivered_on < $before", before
        )
        self.con.execute(
            "insert into earlier_sales select return_id, refund_cents from returns_out "
            "where delivered_on < $before and date_trunc('month', sold_on) < date_trunc('month', delivered_on)",
            {"before": before},
        )

    def accepted(self, layout: Layout) -> int:
        """Distinct keys that are no bad rows."""
        return sum(self.kinds[layout.name, kind] for kind in ACCEPTED_KINDS)

    def _sum(self, query: str, before: date) -> int:
        row = self.con.execute(query, {"before": before}).fetchone()
        return int(row[0] or 0) if row else 0


def _unique_keys(
    con: duckdb.DuckDBPyConnection, spec: SampleSpec, writer: ExtractWriter, tally: _Tally
) -> dict[str, int]:
    last_stores_file = spec.month_starts[-1] + timedelta(days=45)
    row = con.execute(UNIQUE_KEYS_SQL, {"last_stores_file": last_stores_file}).fetchone()
    assert row is not None
    lists = ("sales/customers", "sales/products", "sales/stores", "hr/departments", "hr/employees", "hr/assignments")
    keys = {layout.name: writer.rows[layout.name] for layout in LAYOUTS}
    keys.update(zip((*lists, "hr/targets"), row, strict=True))
    keys[layouts.ORDER_LINES.name] = tally.accepted(layouts.ORDER_LINES)
    keys[layouts.ANSWERS.name] = tally.accepted(layouts.ANSWERS)
    keys[layouts.TICKETS.name] -= tally.kinds[layouts.TICKETS.name, "update"]
    return keys


def write_sample(
    extracts_dir: Path,
    spec: SampleSpec = SampleSpec(),
    progress: Callable[[str], None] | None = None,
    *,
    threads: int | None = None,
) -> SampleSummary:
    """Write the extracts of a sample chain and ``truth.json`` into a new or empty folder.

    The folder appears complete or not at all. Files are a function of ``spec`` alone, not of ``threads`` (default: by
    size). ``progress`` receives one short line per month. Memory stays bounded whatever the scale; disk beside the
    target holds what does not fit.

    Raises:
        FileExistsError: ``extracts_dir`` holds something already.

    """
    started = time.monotonic()
    report = progress or (lambda message: None)
    with appearing_at_once(extracts_dir) as work:
        folder = work / "extracts"
        stores = make_stores(spec)
        staff = make_staff(spec, stores)
        with open_scratch(spec, work / "spill", threads) as con:
            load_chain(con, spec, stores, staff)
            report(f"{len(stores)} stores, {len(staff.people)} employees, {spec.customer_count} customers")
            writer, planter, tally = ExtractWriter(con, folder), DefectPlanter(con, spec), _Tally(con)
            for month, start in enumerate(spec.month_starts):
                generate_month(con, spec, month)
                planter.plant(month)
                end = spec.month_end(month)
                tally.count(end)
                for layout, table in EVENT_TABLES:
                    writer.flush(layout, table, end)
                is_last = month == spec.months - 1
                writer.flush(layouts.INTERACTIONS, "interactions_out", end if is_last else start)
                write_monthly_files(writer, spec, month)
                report(f"{start:%Y-%m}: {writer.rows[layouts.ORDER_LINES.name]} order lines so far")
            run_sql(con, "targets")
            write_targets(writer, spec)
            planter.correct_target(writer)
            planter.locate_bad_rows(folder)

            summary = SampleSummary(
                extracts_dir=extracts_dir,
                truth_path=extracts_dir / TRUTH_FILE,
                files=writer.files.total(),
                rows={layout.name: writer.rows[layout.name] for layout in LAYOUTS},
                unique_keys=_unique_keys(con, spec, writer, tally),
                revenue=Decimal(money_text(tally.revenue_cents)),
                seconds=round(time.monotonic() - started, 2),
            )
            totals = {"refund_amount": money_text(tally.refund_cents)}
            write_truth(folder, con, spec, stores, staff, planter.log, summary, totals)
    return summary
