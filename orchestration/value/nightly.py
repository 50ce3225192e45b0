"""What dbt's Python models do: rows in, Arrow table out. Relations are read one model at a time, so that memory follows the
largest model and not their number.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.value.purchases import Histories, expect_purchases, fit_purchases, group_corrected
from orchestration.value.spend import fit_spend

# Part of every version: a change of method is a change of parameters.
METHOD_VERSION = "1"
# Parameters are kept at this many significant digits, which is more than the data hold and fewer than the last bits that
# differ between machines.
_DIGITS = 10


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None


def _digest(*arrays: Any) -> str:
    digest = hashlib.sha256(METHOD_VERSION.encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _columns(relation: Any, condition: str, order: str) -> dict[str, Any]:
    columns: dict[str, Any] = relation.filter(condition).order(order).fetchnumpy()
    return columns


def _same(**values: Any) -> str:
    """An SQL condition that the columns have these values."""
    return " and ".join(f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in values.items())


FITTED_SCHEMA = pa.schema(
    [
        ("fitted_on", pa.date32()),
        ("model_segment", pa.string()),
        ("parameters_version", pa.string()),
        ("inputs_hash", pa.string()),
        ("customers", pa.int64()),
        ("repeaters", pa.int64()),
        ("distinct_histories", pa.int64()),
        ("merged_day_correction_days", pa.float64()),
        *[(name, pa.float64()) for name in ("r", "alpha", "a", "b")],
        *[(f"{name}_{bound}", pa.float64()) for name in ("r", "alpha", "a", "b") for bound in ("error", "low", "high")],
        ("purchase_log_likelihood", pa.float64()),
        ("purchase_problem", pa.string()),
        ("spenders", pa.int64()),
        *[(name, pa.float64()) for name in ("p", "q", "v")],
        *[(f"{name}_{bound}", pa.float64()) for name in ("p", "q", "v") for bound in ("error", "low", "high")],
        ("spend_log_likelihood", pa.float64()),
        ("spend_problem", pa.string()),
    ]
)
_NORMAL_95 = 1.959963984540054


def _with_errors(names: tuple[str, ...], estimates: tuple[float, ...], log_errors: Any) -> dict[str, float | None]:
    """Estimates with standard errors and 95 % bounds; the bounds are symmetric in logarithms, since all are positive."""
    fields: dict[str, float | None] = {}
    for name, estimate, error in zip(names, estimates, log_errors, strict=True):
        fields[name] = _rounded(estimate)
        fields[f"{name}_error"] = _rounded(estimate * error)
        fields[f"{name}_low"] = _rounded(estimate * np.exp(-_NORMAL_95 * error))
        fields[f"{name}_high"] = _rounded(estimate * np.exp(_NORMAL_95 * error))
    return fields


def fit_models(histories: Any, spend: Any, days: Any) -> pa.Table:
    """Fit each day and model segment of ``histories`` (DuckDB relations as dbt hands them over)."""
    keys = histories.aggregate("fitted_on, model_segment").order("fitted_on, model_segment").fetchall()
    corrections = dict(days.project("looked_from, cast(merged_day_correction_days as double)").fetchall())
    rows = []
    for fitted_on, segment in keys:
        chosen = _same(fitted_on=fitted_on, model_segment=segment)
        counts = _columns(histories, chosen, "repeats, last_days, age_days")
        spends = _columns(
            spend.project("*, cast(spend_amount as double) as total"), chosen, "spend_count, spend_amount"
        )
        correction = float(corrections[fitted_on])
        customers = np.asarray(counts["customers"], float)
        grouped = Histories(
            np.asarray(counts["repeats"]), np.asarray(counts["last_days"]), np.asarray(counts["age_days"]), customers
        )
        buying = fit_purchases(group_corrected(grouped, correction))
        spending = fit_spend(
            np.asarray(spends["spend_count"]),
            np.asarray(spends["total"], float),
            np.asarray(spends["customers"], float),
        )
        inputs = _digest(
            np.frombuffer(segment.encode(), np.uint8),
            *(counts[name] for name in ("repeats", "last_days", "age_days", "customers")),
            *(spends[name] for name in ("spend_count", "total", "customers")),
            np.array([correction]),
        )
        rows.append(
            {
                "fitted_on": fitted_on,
                "model_segment": segment,
                "parameters_version": f"{fitted_on:%Y%m%d}-{inputs}",
                "inputs_hash": inputs,
                "customers": int(customers.sum()),
                "repeaters": int(customers[grouped.repeats > 0].sum()),
                "distinct_histories": len(customers),
                "merged_day_correction_days": correction,
                **_with_errors(("r", "alpha", "a", "b"), buying.parameters, buying.log_errors),
                "purchase_log_likelihood": _rounded(buying.log_likelihood),
                "purchase_problem": buying.reason,
                "spenders": int(spending.customers),
                **_with_errors(("p", "q", "v"), (spending.p, spending.q, spending.v), spending.log_errors),
                "spend_log_likelihood": _rounded(spending.log_likelihood),
                "spend_problem": spending.reason,
            }
        )
    return pa.Table.from_pylist(rows, schema=FITTED_SCHEMA)


EXPECTED_SCHEMA = pa.schema(
    [
        ("model_key", pa.string()),
        ("horizon_days", pa.int64()),
        ("repeats", pa.int64()),
        ("age_days", pa.int64()),
        ("expected_purchases", pa.float64()),
        ("discounted_purchases", pa.float64()),
    ]
)


def expect_for(asked: Any) -> pa.Table:
    """Answer each row of ``asked``: a model (key and parameters), a horizon, a discount, and a history."""
    model = "model_key, r, alpha, a, b, merged_day_correction_days, horizon_days, yearly_discount"
    tables = []
    for key, r, alpha, a, b, correction, horizon, discount in asked.aggregate(model).order(model).fetchall():
        counts = _columns(
            asked.filter(f"yearly_discount = {discount}"),
            _same(model_key=key, horizon_days=horizon),
            "repeats, age_days",
        )
        repeats, ages = np.asarray(counts["repeats"]), np.asarray(counts["age_days"])
        expected = expect_purchases((r, alpha, a, b), repeats, ages, horizon / 7, float(discount), correction)
        tables.append(
            pa.table(
                [
                    pa.array(np.full(len(repeats), key, object), pa.string()),
                    np.full(len(repeats), horizon, np.int64),
                    repeats.astype(np.int64),
                    ages.astype(np.int64),
                    np.round(expected.purchases, 10),
                    np.round(expected.discounted, 10),
                ],
                schema=EXPECTED_SCHEMA,
            )
        )
    return pa.concat_tables(tables) if tables else EXPECTED_SCHEMA.empty_table()
