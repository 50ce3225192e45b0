"""Planted delivery faults: rows delivered twice, corrected, late, or broken, each recorded for the truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.sample.layout import ANSWERS, ORDER_LINES, RESPONSES, TARGETS, Layout
from orchestration.sample.spec import SampleSpec
from orchestration.sample.writer import ExtractWriter, find_line

# A month shorter than this holds no faults: each takes a day of its own, and its second file lies in the same month.
LEAST_DAYS = 20
LAST_DAYS_SPARED = 6
DUPLICATED_LINES, DUPLICATED_ANSWERS = 25, 15
CORRECTED_LINES, CORRECTED_ANSWERS = 6, 4
BAD_SCORES = ("五星", "N/A", "9 points")

DUPLICATE_SQL = """
insert into {table} by name
select * replace (delivered_on + 1 as delivered_on, 1 as rank, 'duplicate' as kind)
from {table} where delivered_on = $day and rank = 0
order by {time} desc, {key} desc limit {rows}
"""
CORRECTABLE_LINES_SQL = """
select order_id, line_no, net_cents // 20 as off_cents
from order_lines_out as l
anti join returns_out as r on r.order_id = l.order_id and r.line_no = l.line_no
where l.delivered_on = $day and l.kind = 'base' and l.net_cents >= 2000
order by draw('correction', l.order_id || '-' || l.line_no), l.order_id, l.line_no limit {rows}
"""
CORRECT_LINES_SQL = """
insert into order_lines_out by name
select l.* replace (
    l.delivered_on + 2 as delivered_on, 1 as rank, 'correction' as kind, l.net_cents - c.off_cents as net_cents,
    l.discount_amount + money(c.off_cents) as discount_amount
)
from order_lines_out as l inner join chosen as c on c.order_id = l.order_id and c.line_no = l.line_no
where l.kind = 'base'
"""
CORRECTABLE_ANSWERS_SQL = """
select a.response_id, a.question_code
from answers_out as a
anti join self_filled as f on f.response_id = a.response_id
where a.delivered_on = $day and a.kind = 'base' and a.question_no = 1 and a.score != '3'
order by draw('correction', a.response_id), a.response_id limit {rows}
"""
CORRECT_ANSWERS_SQL = """
insert into answers_out by name
select a.* replace (
    a.delivered_on + 2 as delivered_on, 1 as rank, 'correction' as kind, (6 - a.score::integer)::varchar as score
)
from answers_out as a inner join chosen as c on c.response_id = a.response_id and c.question_code = a.question_code
where a.kind = 'base'
"""
SUPERSEDE_SQL = """
update {table} set kind = 'superseded' where kind = 'base' and {key} in (select {key} from chosen)
"""


@dataclass
class DefectLog:
    """What was planted; every entry is a JSON object with the files it concerns, relative to the extracts folder."""

    duplicates: list[dict[str, Any]] = field(default_factory=list)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)
    bad_rows: list[dict[str, Any]] = field(default_factory=list)


class DefectPlanter:
    """Plants each month's faults in the output tables before they are written."""

    def __init__(self, con: duckdb.DuckDBPyConnection, spec: SampleSpec) -> None:
        self.con = con
        self.spec = spec
        self.log = DefectLog()
        self.bad_months = {1 % spec.months, spec.months // 2, max(0, spec.months - 2)}

    def plant(self, month: int) -> None:
        """Faults of one month: each on a day of its own, so that no row has two."""
        start, end = self.spec.month_starts[month], self.spec.month_end(month)
        length = (end - start).days
        if length < LEAST_DAYS:
            return
        rng = random.Random(f"{self.spec.seed}/defects/{month}")
        offsets = rng.sample(range(length - LAST_DAYS_SPARED), 7)
        days = [start + timedelta(days=offset) for offset in offsets]
        self._duplicate(ORDER_LINES, "order_lines_out", "ordered_at", days[0], DUPLICATED_LINES)
        self._duplicate(ANSWERS, "answers_out", "submitted_at", days[1], DUPLICATED_ANSWERS)
        self._correct_lines(days[2])
        self._correct_answers(days[3])
        self._deliver_late(days[4], rng.randrange(1, LAST_DAYS_SPARED), rng, [(ORDER_LINES, "order_lines_out")])
        survey = [(RESPONSES, "responses_out"), (ANSWERS, "answers_out")]
        self._deliver_late(days[5], rng.randrange(1, LAST_DAYS_SPARED), rng, survey)
        if month in self.bad_months:
            self._break_rows(days[6], BAD_SCORES[len(self.log.bad_rows) // 2 % len(BAD_SCORES)])

    def correct_target(self, writer: ExtractWriter) -> None:
        """The target of one store is set anew in the middle of a month, for that month."""
        period = self.spec.month_starts[self.spec.months // 2]
        day = period + timedelta(days=14)
        if day > self.spec.last_day:
            return
        chosen = (
            f"from target_rows where level = 'store' and period_start = date '{period}' order by entity_id desc limit 1"
        )
        raised = ", ".join(f"({name} * 1.1)::decimal(18, 2) as {name}" for name in ("target", "threshold", "stretch"))
        renewed = f"select * replace ({raised}) from ({chosen})"
        row = self.con.execute(f"select entity_id, target::varchar from ({chosen})").fetchone()
        if row is None:
            return
        writer.write(TARGETS, renewed, day)
        self.log.corrections.append(
            {
                "extract": TARGETS.name,
                "file": TARGETS.path(period).as_posix(),
                "corrected_in": TARGETS.path(day).as_posix(),
                "rows": 1,
                "keys": [["revenue", "store", row[0], period.isoformat()]],
            }
        )

    def locate_bad_rows(self, folder: Path) -> None:
        """Add to each bad row the physical line (header = 1) it was written on."""
        for entry in self.log.bad_rows:
            entry["line"] = find_line(folder / entry["file"], entry["key"])

    def _duplicate(self, layout: Layout, table: str, time: str, day: date, rows: int) -> None:
        key = " desc, ".join(layout.key)
        row = self.con.execute(
            DUPLICATE_SQL.format(table=table, time=time, key=key, rows=rows), {"day": day}
        ).fetchone()
        self.log.duplicates.append(
            {
                "extract": layout.name,
                "file": layout.path(day).as_posix(),
                "repeated_in": layout.path(day + timedelta(days=1)).as_posix(),
                "rows": row[0] if row else 0,
            }
        )

    def _correct(self, layout: Layout, table: str, choose: str, correct: str, day: date, rows: int) -> None:
        self.con.execute(f"create or replace temp table chosen as {choose.format(rows=rows)}", {"day": day})
        self.con.execute(correct)
        key = f"({', '.join(layout.key)})"
        self.con.execute(SUPERSEDE_SQL.format(table=table, key=key))
        keys = self.con.execute(f"select {', '.join(layout.key)} from chosen order by all").fetchall()
        self.log.corrections.append(
            {
                "extract": layout.name,
                "file": layout.path(day).as_posix(),
                "corrected_in": layout.path(day + timedelta(days=2)).as_posix(),
                "rows": len(keys),
                "keys": [list(entry) for entry in keys],
            }
        )

    def _correct_lines(self, day: date) -> None:
        self._correct(ORDER_LINES, "order_lines_out", CORRECTABLE_LINES_SQL, CORRECT_LINES_SQL, day, CORRECTED_LINES)

    def _correct_answers(self, day: date) -> None:
        self._correct(ANSWERS, "answers_out", CORRECTABLE_ANSWERS_SQL, CORRECT_ANSWERS_SQL, day, CORRECTED_ANSWERS)

    def _deliver_late(self, day: date, delay: int, rng: random.Random, tables: list[tuple[Layout, str]]) -> None:
        first = tables[0][1]
        stores = self.con.execute(
            f"select distinct store_id from {first} where delivered_on = $day and kind = 'base' order by store_id",
            {"day": day},
        ).fetchall()
        if not stores:
            return
        store_id = rng.choice(stores)[0]
        arrives = day + timedelta(days=delay)
        for layout, table in tables:
            row = self.con.execute(
                f"update {table} set delivered_on = $arrives, part = 'late', kind = 'late' "
                "where delivered_on = $day and kind = 'base' and store_id = $store_id",
                {"arrives": arrives, "day": day, "store_id": store_id},
            ).fetchone()
            self.log.late.append(
                {
                    "extract": layout.name,
                    "store_id": store_id,
                    "event_on": day.isoformat(),
                    "file": layout.path(arrives, "late").as_posix(),
                    "rows": row[0] if row else 0,
                }
            )

    def _break_rows(self, day: date, bad_score: str) -> None:
        line = self.con.execute(
            "select l.order_id, l.line_no from order_lines_out as l "
            "anti join returns_out as r on r.order_id = l.order_id "
            "where l.delivered_on = $day and l.kind = 'base' and l.line_no > 1 "
            "order by draw('bad', l.order_id), l.order_id, l.line_no limit 1",
            {"day": day},
        ).fetchone()
        if line:
            self.con.execute(
                "update order_lines_out set store_id = null, kind = 'bad' "
                "where order_id = $order_id and line_no = $line_no and kind = 'base'",
                {"order_id": line[0], "line_no": line[1]},
            )
            key = {"order_id": line[0], "line_no": str(line[1])}
            self._log_bad(ORDER_LINES, day, key, "store_id", "")
        answer = self.con.execute(
            "select response_id, question_code from answers_out "
            "where delivered_on = $day and kind = 'base' and question_no in (2, 3) "
            "order by draw('bad', response_id), response_id, question_no limit 1",
            {"day": day},
        ).fetchone()
        if answer:
            self.con.execute(
                "update answers_out set score = $score, kind = 'bad' "
                "where response_id = $response_id and question_code = $question_code and kind = 'base'",
                {"score": bad_score, "response_id": answer[0], "question_code": answer[1]},
            )
            key = {"response_id": answer[0], "question_code": answer[1]}
            self._log_bad(ANSWERS, day, key, "score", bad_score)

    def _log_bad(self, layout: Layout, day: date, key: dict[str, str], column: str, value: str) -> None:
        self.log.bad_rows.append(
            {
                "extract": layout.name,
                "file": layout.path(day).as_posix(),
                "key": key,
                "column": column,
                "value": value,
            }
        )
