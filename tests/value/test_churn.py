"""The churn model finds what it was given, is calibrated, repeats itself, and says why where it cannot learn."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from orchestration.value.churn import FEATURES, INTERCEPT, train_models


def _relation(
    connection: duckdb.DuckDBPyConnection, rows: int, chance: Any, snapshots: int = 3
) -> duckdb.DuckDBPyRelation:
    """Customers of past snapshots; ``chance`` gives the probability to leave from the feature matrix."""
    rng = np.random.RandomState(7)
    features = rng.normal(size=(rows, len(FEATURES)))
    labels = rng.random_sample(rows) < chance(features)
    columns = ", ".join(f"{name} double" for name in FEATURES)
    connection.execute(
        "create or replace table rows_of_churn (snapshot_on date, customer_id varchar, trains_tested boolean, "
        f"trains_scored boolean, has_churned boolean, {columns})"
    )
    marks = ", ".join("?" for _ in range(5 + len(FEATURES)))
    days = [date(2026, 1, 1) + timedelta(days=30 * (row % snapshots)) for row in range(rows)]
    values = [[days[row], f"c{row}", True, True, bool(labels[row]), *map(float, features[row])] for row in range(rows)]
    if values:
        connection.executemany(f"insert into rows_of_churn values ({marks})", values)
    return connection.table("rows_of_churn")


def _settings(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    return connection.sql("select 'churn_minimum_customers' as setting_code, 300 as value")


def _logistic(features: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(0.5 - 1.2 * features[:, 0]))


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _weights(table: Any) -> dict[str, tuple[float, float]]:
    return {
        row["feature"]: (row["weight"], row["centre"]) for row in table.to_pylist() if row["model_role"] == "scored"
    }


@pytest.mark.parametrize("snapshots", [1, 3])
def test_the_weights_it_was_drawn_from_are_found_and_the_probabilities_are_calibrated(
    connection: duckdb.DuckDBPyConnection, snapshots: int
) -> None:
    weights = _weights(train_models(_relation(connection, 3000, _logistic, snapshots=snapshots), _settings(connection)))
    assert weights["silence"][0] == pytest.approx(1.2, abs=0.25)
    assert all(abs(weights[name][0]) < 0.25 for name in FEATURES[1:])
    fresh = np.random.RandomState(8).normal(size=(20_000, len(FEATURES)))
    odds = weights[INTERCEPT][0] + sum(
        weights[name][0] * (fresh[:, index] - weights[name][1]) for index, name in enumerate(FEATURES)
    )
    assert np.mean(1 / (1 + np.exp(-odds))) == pytest.approx(np.mean(_logistic(fresh)), abs=0.04)


def test_equal_rows_give_equal_weights_in_whatever_order_they_stand(connection: duckdb.DuckDBPyConnection) -> None:
    relation = _relation(connection, 900, _logistic)
    first = train_models(relation, _settings(connection))
    assert train_models(relation.order("silence"), _settings(connection)).equals(first)


@pytest.mark.parametrize(
    ("rows", "chance", "problem"),
    [
        (0, 0.5, "history_too_short"),
        (299, 0.5, "too_few_customers"),
        (400, 0.0, "one_outcome_only"),
        (400, 1.0, "one_outcome_only"),
    ],
)
def test_what_cannot_be_learned_has_the_reason(
    connection: duckdb.DuckDBPyConnection, rows: int, chance: float, problem: str
) -> None:
    table = train_models(_relation(connection, rows, lambda features: chance), _settings(connection)).to_pylist()
    assert [(row["model_role"], row["weight"], row["problem"]) for row in table] == [
        ("tested", None, problem),
        ("scored", None, problem),
    ]
