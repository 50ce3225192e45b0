"""Who will not come back: a calibrated logistic regression, kept as weights that SQL can score and explain with."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

FEATURES = (
    "silence", "silence_squared", "overdue", "bought_once", "recent_purchases", "all_repeats", "age", "trend", "spend",
    "returned", "dissatisfied", "satisfied",
)  # fmt: skip
ROLES = {"tested": "trains_tested", "scored": "trains_scored"}
METHOD_VERSION = "1"
# More rows add digits nobody reads; chosen by hash, so that the same customers are chosen every time.
MOST_ROWS = 200_000
_DIGITS = 10

SCHEMA = pa.schema(
    [
        ("model_role", pa.string()),
        ("feature", pa.string()),
        ("weight", pa.float64()),
        ("centre", pa.float64()),
        ("training_rows", pa.int64()),
        ("base_rate", pa.float64()),
        ("inputs_hash", pa.string()),
        ("problem", pa.string()),
    ]
)
INTERCEPT = "intercept"


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def train_models(features: Any, settings: Any) -> pa.Table:
    """Train the model that is tested and the one that scores; relations as dbt hands them over."""
    minimum = settings.filter("setting_code = 'churn_minimum_customers'").aggregate("max(value)").fetchall()[0][0]
    rows: list[dict[str, Any]] = []
    for role, flag in ROLES.items():
        relation = features.filter(f"{flag} and has_churned is not null")
        columns = (
            relation.project(f"snapshot_on, customer_id, has_churned, {', '.join(FEATURES)}, "
                             "md5(concat(customer_id, '/', snapshot_on)) as draw")
            .order("draw, snapshot_on, customer_id")
            .limit(MOST_ROWS)
            .fetchnumpy()
        )  # fmt: skip
        rows += _train(role, columns, int(minimum or 1))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _train(role: str, columns: dict[str, Any], minimum: int) -> list[dict[str, Any]]:
    labels = np.asarray(columns["has_churned"]).astype(bool)
    inputs = (
        np.column_stack([np.asarray(columns[name], float) for name in FEATURES]) if len(labels) else np.empty((0, 0))
    )
    digest = hashlib.sha256(METHOD_VERSION.encode() + labels.tobytes() + inputs.tobytes()).hexdigest()[:16]
    common = {
        "model_role": role,
        "training_rows": len(labels),
        "base_rate": _rounded(float(labels.mean())) if len(labels) else None,
        "inputs_hash": digest,
    }

    def nothing(problem: str) -> list[dict[str, Any]]:
        return [{**common, "feature": INTERCEPT, "weight": None, "centre": None, "problem": problem}]

    if not len(labels):
        return nothing("history_too_short")
    if len(labels) < minimum:
        return nothing("too_few_customers")
    # Calibrated on the last snapshot, which is later than all that the weights come from; with one snapshot alone, on a
    # half of the customers that the hash has put last.
    snapshots = np.asarray(columns["snapshot_on"]).astype("datetime64[D]")
    later = snapshots == snapshots.max()
    if later.all():
        later = np.arange(len(labels)) >= len(labels) // 2
    if len(set(labels[~later])) < 2 or len(set(labels[later])) < 2:
        return nothing("one_outcome_only")

    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    centre, spread = inputs[~later].mean(axis=0), inputs[~later].std(axis=0)
    # What does not vary has nothing to say.
    spread[spread < 1e-12] = np.inf
    regression = LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)
    regression.fit((inputs[~later] - centre) / spread, labels[~later])
    if regression.n_iter_[0] >= 1000:
        return nothing("did_not_converge")
    calibrated = CalibratedClassifierCV(FrozenEstimator(regression), method="sigmoid")
    calibrated.fit((inputs[later] - centre) / spread, labels[later])
    # The sigmoid's slopes, averaged over its folds, on top of the regression's: one linear score.
    calibrators = [single.calibrators[0] for single in calibrated.calibrated_classifiers_]
    slope = -float(np.mean([calibrator.a_ for calibrator in calibrators]))
    shift = -float(np.mean([calibrator.b_ for calibrator in calibrators]))
    if slope <= 0:
        return nothing("nothing_learned")
    weights = slope * regression.coef_[0] / spread
    rows = [
        {**common, "feature": name, "weight": _rounded(weight), "centre": _rounded(middle), "problem": None}
        for name, weight, middle in zip(FEATURES, weights, centre, strict=True)
    ]
    intercept = slope * float(regression.intercept_[0]) + shift
    return [{**common, "feature": INTERCEPT, "weight": _rounded(intercept), "centre": 0.0, "problem": None}, *rows]
