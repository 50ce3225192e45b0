"""Effects of experiences: against statsmodels, with a planted effect, and where nothing can be told."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm

from orchestration.journey.effects import clustered_effect, estimate_effects


def test_the_effect_and_its_clustered_error_are_those_of_statsmodels() -> None:
    rng = np.random.RandomState(3)
    n = 600
    clusters = rng.randint(0, 150, n)
    kinds = np.eye(4)[rng.randint(0, 4, n)]
    treatment = (rng.random_sample(n) < 0.2 + 0.3 * kinds[:, 1]).astype(float)
    outcome = 0.5 - 0.2 * treatment + 0.3 * kinds[:, 1] + 0.2 * rng.normal(size=150)[clusters] + rng.normal(size=n)
    # All four indicators beside a constant are collinear: whoever fits them must notice.
    design = np.hstack([treatment[:, None], np.ones((n, 1)), kinds])
    _, dense = np.unique(clusters, return_inverse=True)
    effect = clustered_effect(outcome, design, dense)
    assert effect is not None
    fitted = sm.OLS(outcome, design[:, :-1]).fit(
        cov_type="cluster", cov_kwds={"groups": dense, "use_correction": True}, use_t=True
    )
    assert effect.estimate == pytest.approx(fitted.params[0], rel=1e-9)
    assert effect.error == pytest.approx(fitted.bse[0], rel=1e-9)
    assert (effect.low, effect.high) == pytest.approx(tuple(fitted.conf_int()[0]), rel=1e-9)


def test_a_treatment_that_is_a_confounder_tells_nothing() -> None:
    kind = np.array([0.0, 1.0] * 20)
    design = np.column_stack([kind, np.ones(40), kind])
    assert clustered_effect(np.arange(40.0), design, np.arange(40)) is None


def _trials(connection: duckdb.DuckDBPyConnection, rows: list[tuple[object, ...]]) -> duckdb.DuckDBPyRelation:
    connection.execute(
        "create or replace table trials (outcome_code varchar, trial_id varchar, touchpoint_code varchar, is_bad boolean, "
        "known_on date, outcome double, bad_touchpoints varchar, customer_id varchar, segment varchar, region varchar, "
        "acquisition_channel varchar, orders_before integer, ordered_month date, order_touchpoint_code varchar)"
    )
    connection.executemany(f"insert into trials values ({', '.join('?' * 14)})", rows)
    return connection.table("trials")


def test_a_touchpoint_does_not_answer_for_another_and_the_past_keeps_its_estimate() -> None:
    """Bad deliveries cost 0.4 and bring service calls, which cost nothing; raw, a call looks costly too."""
    rng = np.random.RandomState(11)
    rows = []
    for number in range(3000):
        late = rng.random_sample() < 0.25
        slow = rng.random_sample() < (0.7 if late else 0.2)
        returned = float(rng.random_sample() < (0.35 if late else 0.75))
        bad = "|".join(name for name, is_bad in (("delivery", late), ("service_call", slow)) if is_bad)
        day = date(2026, 1, 10) if number % 2 else date(2026, 4, 10)
        for touchpoint, is_bad in (("delivery", late), ("service_call", slow)):
            rows.append(
                ("repurchase", f"o{number}", touchpoint, bool(is_bad), day, returned, bad, f"c{number // 2}",
                 "gold" if number % 3 else "basic", "north", "web", number % 4, date(2026, 1, 1), "till")
            )  # fmt: skip
    connection = duckdb.connect()
    days = connection.sql(
        "select unnest([date '2026-01-01', date '2026-04-01', date '2026-05-01']) as known_on, "
        "unnest([false, false, true]) as is_current"
    )
    found = {
        (row["known_on"], row["touchpoint_code"]): row
        for row in estimate_effects(_trials(connection, rows), days).to_pylist()
    }
    assert {known_on for known_on, _ in found} == {date(2026, 4, 1), date(2026, 5, 1)}, "nothing is known by January"
    delivery, call = found[date(2026, 5, 1), "delivery"], found[date(2026, 5, 1), "service_call"]
    assert delivery["ci_low"] < -0.4 < delivery["ci_high"] < 0
    assert call["ci_low"] < 0 < call["ci_high"]
    assert call["bad_mean"] - call["good_mean"] < -0.1
    assert found[date(2026, 4, 1), "delivery"]["n"] == 1500
    assert delivery["n"] == 3000


@pytest.mark.parametrize("is_bad", [True, False])
def test_experiences_that_are_all_alike_have_no_effect_and_say_so(is_bad: bool) -> None:
    connection = duckdb.connect()
    rows = [
        ("nps", f"a{number}", "till", is_bad, date(2026, 1, 1), 100.0, "", f"c{number}", "gold", "north", "web", 0,
         date(2026, 1, 1), "till")
        for number in range(5)
    ]  # fmt: skip
    days = connection.sql("select date '2026-05-01' as known_on, true as is_current")
    (row,) = estimate_effects(_trials(connection, rows), days).to_pylist()
    assert (row["effect"], row["problem"], row["n"]) == (None, "all_alike", 5)


def test_without_any_trial_there_is_no_row() -> None:
    connection = duckdb.connect()
    days = connection.sql("select date '2026-05-01' as known_on, true as is_current")
    empty = _trials(connection, [("nps", "x", "t", True, date(2026, 1, 1), 0.0, "", "c", "", "", "", 0, None, "")])
    assert estimate_effects(empty.filter("false"), days).num_rows == 0
