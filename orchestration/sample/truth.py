"""``truth.json``: what was planted, for tests to ask whether the warehouse finds it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from orchestration.sample.catalogue import Store
from orchestration.sample.comments import SENTENCES
from orchestration.sample.customers import NEVER_BUYS_SHARE
from orchestration.sample.defects import DefectLog
from orchestration.sample.model import MODEL
from orchestration.sample.people import Staff
from orchestration.sample.scratch import self_filler_device
from orchestration.sample.spec import SampleSpec, SampleSummary

TRUTH_FILE = "truth.json"
# A chain of 100 million lines has millions of such returns; the count is always there.
MOST_IDS_LISTED = 50_000
REPURCHASE_DAYS = 90

REPURCHASE_SQL = """
with base as (
    select d.customer_no, d.is_bad, d.drops_out, d.ordered_on - getvariable('first_day') as day
    from deliveries as d
    where d.ordered_on + $window <= getvariable('last_day')
)

select
    is_bad,
    count(*) as orders,
    count(*) filter (drops_out) as drops_out,
    count(*) filter (exists (
        select 1 from member_orders as o
        where o.customer_no = base.customer_no and o.day > base.day and o.day <= base.day + $window
    )) as repurchased,
from base group by is_bad order by is_bad
"""


def _scheme(con: duckdb.DuckDBPyConnection, stores: list[Store]) -> dict[str, Any]:
    row = con.execute(
        "select coalesce(sum(responses), 0)::bigint, coalesce(sum(top_box), 0)::bigint, "
        "coalesce(sum(responses_without), 0)::bigint, coalesce(sum(top_box_without), 0)::bigint from scheme_effects"
    ).fetchone()
    assert row is not None
    responses, top_box, responses_without, top_box_without = row
    waves = sorted({(store.wave, store.rollout_on) for store in stores if store.wave and store.rollout_on})
    return {
        "survey_code": "store_visit",
        "touchpoint_code": "checkout_till",
        "latent_lift": MODEL.scheme_lift,
        "expected_lift_share": (
            round(top_box / responses - top_box_without / responses_without, 6)
            if responses and responses_without
            else None
        ),
        "csat_with": round(top_box / responses, 6) if responses else None,
        "csat_without": round(top_box_without / responses_without, 6) if responses_without else None,
        "responses": responses,
        "waves": [
            {
                "wave": wave,
                "rollout_on": rollout_on.isoformat(),
                "stores": [store.store_id for store in stores if store.wave == wave],
            }
            for wave, rollout_on in waves
        ],
        "never": [store.store_id for store in stores if store.wave is None],
    }


def _ruinous_touchpoint(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    groups = con.execute(REPURCHASE_SQL, {"window": REPURCHASE_DAYS}).fetchall()
    return {
        "touchpoint_code": "delivery",
        "department_code": "logistics",
        "latent_damage": MODEL.delivery_damage,
        "bad_share_if_dropping_out": MODEL.bad_delivery_if_dropping,
        "bad_share_otherwise": MODEL.bad_delivery_otherwise,
        "window_days": REPURCHASE_DAYS,
        "members_with_delivery": {
            "bad" if is_bad else "good": {
                "orders": orders,
                "dropped_out": drops_out,
                "repurchased": repurchased,
                "repurchase_ratio": round(repurchased / orders, 6),
            }
            for is_bad, orders, drops_out, repurchased in groups
        },
    }


def returns_of_earlier_months(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Returns whose sale lies in an earlier month than the return itself: sales that were already paid for."""
    row = con.execute("select count(*), coalesce(sum(refund_cents), 0)::bigint from earlier_sales").fetchone()
    assert row is not None
    ids = con.execute(f"select return_id from earlier_sales order by return_id limit {MOST_IDS_LISTED}").fetchall()
    return {
        "count": row[0],
        "refund_amount": money_text(row[1]),
        "is_complete": row[0] <= MOST_IDS_LISTED,
        "return_ids": [entry[0] for entry in ids],
    }


def money_text(cents: int) -> str:
    """Whole cents as a decimal string."""
    return str(Decimal(cents).scaleb(-2).quantize(Decimal("0.01")))


def _rows_by_extract(entries: list[dict[str, Any]]) -> dict[str, int]:
    rows: Counter[str] = Counter()
    for entry in entries:
        rows[entry["extract"]] += entry.get("rows", 1)
    return dict(rows)


def write_truth(
    folder: Path,
    con: duckdb.DuckDBPyConnection,
    spec: SampleSpec,
    stores: list[Store],
    staff: Staff,
    log: DefectLog,
    summary: SampleSummary,
    totals: dict[str, Any],
) -> None:
    """Write ``truth.json`` into the extracts folder; amounts are decimal strings, days ISO dates."""
    filler = staff.self_filler
    filled = con.execute("select response_id from self_filled order by submitted_at, response_id").fetchall()
    truth = {
        "spec": {**asdict(spec), "last_day": spec.last_day.isoformat(), "first_day": spec.first_day.isoformat()},
        "purchasing": {
            "process": "BG/NBD, time in weeks, no drop-out after the first order",
            "r": MODEL.bgnbd_r,
            "alpha": MODEL.bgnbd_alpha,
            "a": MODEL.bgnbd_a,
            "b": MODEL.bgnbd_b,
            "never_buys_share": NEVER_BUYS_SHARE,
        },
        "spend": {
            "process": "Gamma-Gamma on the net value of an order, in CNY",
            "p": MODEL.spend_p,
            "q": MODEL.spend_q,
            "v": MODEL.spend_v,
            "mean": MODEL.spend_p * MODEL.spend_v / (MODEL.spend_q - 1),
        },
        "satisfaction": {
            name: value
            for name, value in asdict(MODEL).items()
            if not name.startswith(("bgnbd", "spend", "bad_delivery"))
        },
        "stores": {
            store.store_id: {
                "effect": store.effect,
                "region": store.region,
                "opened_on": store.opened_on.isoformat(),
                "closed_on": store.closed_on.isoformat() if store.closed_on else None,
                "rollout_on": store.rollout_on.isoformat() if store.rollout_on else None,
            }
            for store in stores
        },
        "employees": {
            person.employee_id: {"effect": person.effect, "selling_weight": person.skill} for person in staff.people
        },
        "scheme": _scheme(con, stores),
        "ruinous_touchpoint": _ruinous_touchpoint(con),
        "self_filler": {
            "employee_id": filler.employee_id,
            "store_id": filler.now.store.store_id if filler.now.store else None,
            "device_id": self_filler_device(spec),
            "responses": len(filled),
            "response_ids": [entry[0] for entry in filled],
        },
        "screened": {
            code: [
                entry[0]
                for entry in con.execute(
                    "select response_id from planted where screen_code = $code order by response_id", {"code": code}
                ).fetchall()
            ]
            for code in ("burst", "repeated_token", "staff_device")
        },
        "moves": [
            {
                "employee_id": move.employee_id,
                "on": move.on.isoformat(),
                "from_store": move.from_store,
                "to_store": move.to_store,
                "reason": move.reason,
            }
            for move in staff.moves
        ],
        "returns_of_earlier_months": returns_of_earlier_months(con),
        "defects": {
            "duplicates": log.duplicates,
            "corrections": log.corrections,
            "late": log.late,
            "bad_rows": log.bad_rows,
            "rows": {
                "duplicates": _rows_by_extract(log.duplicates),
                "corrections": _rows_by_extract(log.corrections),
                "late": _rows_by_extract(log.late),
                "bad_rows": _rows_by_extract(log.bad_rows),
            },
        },
        "comments": {
            "counts": [
                {"theme": theme, "polarity": polarity, "comments": count}
                for theme, polarity, count in con.execute(
                    "select theme, polarity, sum(comments)::bigint from comment_counts group by all order by all"
                ).fetchall()
            ],
            "sentences": [
                {"theme": theme, "polarity": polarity, "language": language, "sentence": sentence}
                for (theme, polarity, language), sentences in SENTENCES.items()
                for sentence in sentences
            ],
        },
        "totals": {
            "files": summary.files,
            "rows": summary.rows,
            "unique_keys": summary.unique_keys,
            "revenue_amount": str(summary.revenue),
            **totals,
        },
    }
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
