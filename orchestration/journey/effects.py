"""What a bad experience at a touchpoint does to an outcome: least squares on everything that could explain both.

The effect of a bad experience is the coefficient of its indicator beside those of segment, region, acquisition channel,
orders before, month, kind of order and of bad experiences elsewhere with the same order. Standard errors are clustered by
customer (Liang and Zeger 1986, with the usual small-sample factor), since one customer has several orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

CONFOUNDERS = ("segment", "region", "acquisition_channel", "orders_before", "ordered_month", "order_touchpoint_code")
OUTCOMES = ("nps", "repurchase")
# More rows add digits nobody reads; chosen by hash, so that the same ones are chosen every time.
MOST_ROWS = 200_000
_DIGITS = 10

SCHEMA = pa.schema(
    [
        ("known_on", pa.date32()),
        ("is_current", pa.bool_()),
        ("outcome_code", pa.string()),
        ("touchpoint_code", pa.string()),
        ("n", pa.int64()),
        ("bad_count", pa.int64()),
        ("customers", pa.int64()),
        ("bad_mean", pa.float64()),
        ("good_mean", pa.float64()),
        ("effect", pa.float64()),
        ("standard_error", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("problem", pa.string()),
    ]
)


@dataclass(frozen=True)
class Effect:
    """Coefficient of the first column of a design, with its clustered 95 % interval."""

    estimate: float
    error: float
    low: float
    high: float


def clustered_effect(outcome: Any, design: Any, clusters: Any) -> Effect | None:
    """Least squares of ``outcome`` on ``design``, whose first column is the treatment; ``clusters`` are whole numbers from 0.
    ``None`` where the data do not tell the treatment from the other columns.
    """
    outcome, design = np.asarray(outcome, float), np.asarray(design, float)
    # The treatment is what the other columns leave of it (Frisch and Waugh): columns among those may be collinear.
    others = design[:, 1:]
    scales, axes = np.linalg.eigh(others.T @ others)
    kept = scales > scales.max() * 1e-10
    inverse = (axes[:, kept] / scales[kept]) @ axes[:, kept].T

    def without_others(column: Any) -> Any:
        return column - others @ (inverse @ (others.T @ column))

    treatment = without_others(design[:, 0])
    spread = float(treatment @ treatment)
    groups = int(clusters.max()) + 1 if len(clusters) else 0
    rank = int(kept.sum()) + 1
    if spread < 1e-8 * len(outcome) or groups < 2 or len(outcome) <= rank:
        return None
    estimate = float(treatment @ outcome) / spread
    residuals = without_others(outcome) - treatment * estimate
    scores = np.bincount(clusters, weights=treatment * residuals, minlength=groups)
    factor = groups / (groups - 1) * (len(outcome) - 1) / (len(outcome) - rank)
    error = float(np.sqrt(factor * float(scores @ scores))) / spread
    reach = float(stats.t.ppf(0.975, groups - 1)) * error
    return Effect(estimate, error, estimate - reach, estimate + reach)


def indicators(values: Any) -> Any:
    """One column per value but the first."""
    names, codes = np.unique(np.asarray(values).astype(str), return_inverse=True)
    return (codes[:, None] == np.arange(1, len(names))[None, :]).astype(float)


def design_of(columns: dict[str, Any], touchpoint: str) -> Any:
    """The treatment, a constant, the confounders, and bad experiences at every other touchpoint."""
    n = len(columns["is_bad"])
    split = [set(text.split("|")) for text in columns["bad_touchpoints"]]
    elsewhere = sorted(set().union(*split) - {touchpoint, ""})
    parts = [np.asarray(columns["is_bad"], float)[:, None], np.ones((n, 1))]
    parts += [indicators(columns[name]) for name in CONFOUNDERS]
    parts += [np.array([other in bad for bad in split], float)[:, None] for other in elsewhere]
    return np.hstack(parts)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _estimate(columns: dict[str, Any], touchpoint: str) -> dict[str, Any]:
    bad = np.asarray(columns["is_bad"], bool)
    outcome = np.asarray(columns["outcome"], float)
    _, clusters = np.unique(np.asarray(columns["customer_id"]).astype(str), return_inverse=True)
    row: dict[str, Any] = {
        "n": len(bad),
        "bad_count": int(bad.sum()),
        "customers": int(clusters.max()) + 1,
        "bad_mean": _rounded(outcome[bad].mean()) if bad.any() else None,
        "good_mean": _rounded(outcome[~bad].mean()) if (~bad).any() else None,
        "problem": None,
    }
    if not bad.any() or bad.all():
        return row | {"problem": "all_alike"}
    effect = clustered_effect(outcome, design_of(columns, touchpoint), clusters)
    if effect is None:
        return row | {"problem": "not_told_apart"}
    return row | {
        "effect": _rounded(effect.estimate),
        "standard_error": _rounded(effect.error),
        "ci_low": _rounded(effect.low),
        "ci_high": _rounded(effect.high),
    }


def estimate_effects(trials: Any, days: Any) -> pa.Table:
    """Estimate each touchpoint's effects from what was known before each day; relations as dbt hands them over."""
    fields = ("trial_id", "known_on", "is_bad", "outcome", "bad_touchpoints", "customer_id", *CONFOUNDERS)
    known = days.order("known_on, is_current").fetchall()
    keys = trials.aggregate("outcome_code, touchpoint_code").order("outcome_code, touchpoint_code").fetchall()
    rows = []
    for outcome_code, touchpoint in keys:
        chosen = trials.filter(
            f"outcome_code = '{outcome_code}' and touchpoint_code = '{touchpoint.replace(chr(39), chr(39) * 2)}'"
        )
        fetched = (
            chosen.project(f"{', '.join(fields)}, md5(trial_id) as lot")
            .order("lot, trial_id")
            .limit(MOST_ROWS)
            .fetchnumpy()
        )
        every = {name: np.asarray(fetched[name]) for name in fields}
        for known_on, is_current in known:
            before = every["known_on"].astype("datetime64[D]") < np.datetime64(known_on)
            if not before.any():
                continue
            columns = {name: values[before] for name, values in every.items()}
            rows.append(
                {
                    "known_on": known_on,
                    "is_current": is_current,
                    "outcome_code": outcome_code,
                    "touchpoint_code": touchpoint,
                }
                | _estimate(columns, touchpoint)
            )
    return pa.Table.from_pylist(rows, schema=SCHEMA)
