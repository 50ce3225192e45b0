"""Intervals, reliability, posteriors and ranks of the models against statsmodels and scipy, on random data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from orchestration.functions.plugin import register
from orchestration.settings import Company

pytestmark = pytest.mark.xdist_group("models")

QUIET = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# Promoters, passives and detractors of one entity.
ANSWERS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
# Hits of 18 players in their first 45 times at bat (Efron and Morris 1975, table 1).
HITS = (18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7)


@dataclass(frozen=True)
class Models:
    """The two models on rows of a test's own."""

    connection: duckdb.DuckDBPyConnection
    estimated_sql: str
    shrunken_sql: str

    def run(self, groups: list[tuple[int, int, int]]) -> dict[tuple[str, str], dict[str, float]]:
        """Each entry is an entity with so many promoters, passives and detractors; promoters count as satisfied."""
        con = self.connection
        con.execute("delete from warehouse.intermediate.int_kpis_summed")
        rows = []
        for number, (good, middle, bad) in enumerate(groups):
            n = good + middle + bad
            rows += [["csat", str(number), good, n, n, good, bad], ["nps", str(number), good - bad, n, n, good, bad]]
        con.executemany(
            "insert into warehouse.intermediate.int_kpis_summed (measure_code, level, entity_id, period_type, "
            "period_start, numerator, denominator, n, favourable_count, unfavourable_count, excluded_count) "
            "values (?, 'store', ?, 'month', '2026-03-01', ?, ?, ?, ?, ?, 0)",
            rows,
        )
        con.execute(f"create or replace table warehouse.intermediate.int_kpis_estimated as {self.estimated_sql}")
        con.execute(f"create or replace table warehouse.intermediate.int_kpis_shrunken as {self.shrunken_sql}")
        cursor = con.execute(
            "select e.measure_code, e.entity_id, e.value::double as value, e.ci_low, e.ci_high, s.* exclude "
            "(measure_code, level, entity_id, period_type, period_start) from warehouse.intermediate.int_kpis_estimated e "
            "left join warehouse.intermediate.int_kpis_shrunken s using (measure_code, level, entity_id)"
        )
        names = [column[0] for column in cursor.description]
        return {row[:2]: dict(zip(names[2:], row[2:], strict=True)) for row in cursor.fetchall()}


@pytest.fixture(scope="module")
def models(empty_warehouse: Company, model_sql: Callable[[str], str]) -> Iterator[Models]:
    connection = duckdb.connect()
    register(connection)
    connection.execute("attach ':memory:' as warehouse")
    connection.execute(f"attach '{empty_warehouse.warehouse_path}' as built (read_only)")
    for schema in ("intermediate", "policy", "mappings"):
        connection.execute(f"create schema warehouse.{schema}")
    for table in (
        "policy.measures",
        "intermediate.int_kpis_summed",
        "intermediate.int_survey_counted_daily",
        "intermediate.int_kpis_supplied",
        "intermediate.int_kpi_periods_touched",
        "intermediate.int_periods_listed",
        "intermediate.int_days_dated",
        "intermediate.int_employees_peered",
    ):
        connection.execute(f"create table warehouse.{table} as from built.{table}")
    # Everything is shown, however few answers it has.
    connection.execute("update warehouse.policy.measures set minimum_n_shown = 0")
    connection.execute(
        "insert into warehouse.intermediate.int_kpi_periods_touched (period_type, period_start) "
        "values ('month', '2026-03-01')"
    )
    connection.execute("delete from warehouse.intermediate.int_days_dated")
    connection.execute(
        "insert into warehouse.intermediate.int_days_dated (date_day, month_start) values ('2026-03-01', '2026-03-01')"
    )
    connection.execute("delete from warehouse.intermediate.int_periods_listed")
    connection.execute(
        "insert into warehouse.intermediate.int_periods_listed (period_type, period_start, period_end, is_complete) "
        "values ('month', '2026-03-01', '2026-04-01', true)"
    )
    connection.execute("detach built")
    yield Models(connection, model_sql("int_kpis_estimated"), model_sql("int_kpis_shrunken"))
    connection.close()


@QUIET
@given(st.lists(ANSWERS, min_size=1, max_size=12))
@example([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (40, 0, 0), (0, 40, 0), (0, 0, 40), (1000, 0, 0)])
def test_intervals_agree_with_statsmodels(models: Models, groups: list[tuple[int, int, int]]) -> None:
    results = models.run(groups)
    for number, (good, middle, bad) in enumerate(groups):
        n = good + middle + bad
        share, score = results["csat", str(number)], results["nps", str(number)]
        if n == 0:
            assert share["value"] is share["ci_low"] is score["value"] is score["ci_low"] is None
            continue
        low, high = proportion_confint(good, n, method="wilson")
        assert share["value"] == pytest.approx(good / n, abs=1e-11)
        assert (share["ci_low"], share["ci_high"]) == pytest.approx((low, high), abs=1e-9)
        # Rocks (2016): three more answers, of which 3/4, 3/2 and 3/4 per group.
        adjusted = DescrStatsW(np.array([1, 0, -1]), weights=[good + 0.75, middle + 1.5, bad + 0.75], ddof=0)
        half = stats.norm.ppf(0.975) * adjusted.std / np.sqrt(n + 3)
        expected = 100 * (adjusted.mean - half), 100 * (adjusted.mean + half)
        assert score["value"] == pytest.approx(100 * (good - bad) / n, abs=1e-9)
        assert (score["ci_low"], score["ci_high"]) == pytest.approx(expected, abs=1e-7)


def _moments(values: np.ndarray, n: np.ndarray, answer_variance: float) -> tuple[float | None, float | None]:
    """True variance between entities and the answers the prior is worth, straight from the definitions."""
    k, mean = len(n), np.average(values, weights=n)
    between = sum(n * (values - mean) ** 2) / (k - 1)
    typical = (n.sum() - (n**2).sum() / n.sum()) / (k - 1)
    true = None
    if typical > 1:
        true = min(answer_variance, max(0.0, (between - answer_variance) / (typical - 1)))
    prior = None
    if k > 3:
        shrinkage = (k - 3) / (k - 1) * (1 if between <= answer_variance else answer_variance / between)
        prior = typical * shrinkage / (1 - shrinkage)
    return true, prior


def _reliability(true: float | None, answer_variance: float, n: float) -> float | None:
    if true is None:
        return None
    return 0.0 if true == 0 else true / (true + (answer_variance - true) / n)


@QUIET
@given(st.lists(ANSWERS, min_size=2, max_size=30))
@example([(1, 0, 0)] * 6)
@example([(1, 0, 0), (0, 0, 1), (1, 0, 0), (0, 1, 0)])
@example([(30, 0, 0)] * 5)
@example([(0, 0, 30)] * 5 + [(0, 0, 0)])
def test_posteriors_and_ranks_agree_with_scipy(models: Models, groups: list[tuple[int, int, int]]) -> None:
    results = models.run(groups)
    known = [(str(number), *group) for number, group in enumerate(groups) if sum(group)]
    if len(known) < 2:
        assert all(result["reliability"] is None for result in results.values())
        return
    good, middle, bad = (np.array([row[column] for row in known], dtype=float) for column in (1, 2, 3))
    n = good + middle + bad
    mean = good.sum() / n.sum()
    spread = mean * (1 - mean)
    true, prior = _moments(good / n, n, spread)
    posteriors = None
    if prior is not None:
        centre = mean if 0 < mean < 1 else (good.sum() + 0.5) / (n.sum() + 1)
        posteriors = stats.beta(centre * prior + good, (1 - centre) * prior + n - good)
        _ranks_agree(results, "csat", known, posteriors, 0.0, 1.0)
    for index, (entity, *_) in enumerate(known):
        result = results["csat", entity]
        assert result["reliability"] == pytest.approx(_reliability(true, spread, n[index]), abs=1e-6)
        if posteriors is None:
            assert result["shrunken_value"] is None
            continue
        assert result["shrunken_value"] == pytest.approx(posteriors.mean()[index], abs=1e-6)
        expected = posteriors.ppf(0.05)[index], posteriors.ppf(0.95)[index]
        assert (result["credible_low"], result["credible_high"]) == pytest.approx(expected, abs=1e-5)

    values, centre = 100 * (good - bad) / n, 100 * (good.sum() - bad.sum()) / n.sum()
    spread = 1e4 * (good.sum() + bad.sum()) / n.sum() - centre**2
    true, prior = _moments(values, n, spread)
    for index, (entity, *_) in enumerate(known):
        result = results["nps", entity]
        assert result["reliability"] == pytest.approx(_reliability(true, spread, n[index]), abs=1e-6)
        if prior is None:
            assert result["shrunken_value"] is None
            continue
        pull = n[index] / (n[index] + prior)
        assert result["shrunken_value"] == pytest.approx(centre + pull * (values[index] - centre), abs=1e-5)
        deviation = np.sqrt(max(spread, 0) * prior / (prior + 1) / (n[index] + prior))
        low = centre + pull * (values[index] - centre) - stats.norm.ppf(0.95) * deviation
        assert result["credible_low"] == pytest.approx(max(-100, low), abs=1e-3)


def _ranks_agree(
    results: dict[tuple[str, str], dict[str, float]],
    measure: str,
    known: list[tuple[str, int, int, int]],
    posteriors: "stats.rv_continuous",
    low: float,
    high: float,
) -> None:
    top = optimize.brentq(lambda cut: posteriors.sf(cut).mean() - 0.25, low, high, xtol=1e-12)
    bottom = optimize.brentq(lambda cut: posteriors.sf(cut).mean() - 0.75, low, high, xtol=1e-12)
    for index, (entity, *_) in enumerate(known):
        result = results[measure, entity]
        assert result["top_quarter_probability"] == pytest.approx(posteriors.sf(top)[index], abs=1e-4)
        assert result["bottom_quarter_probability"] == pytest.approx(posteriors.cdf(bottom)[index], abs=1e-4)


def test_efron_and_morris_come_out_as_printed(models: Models) -> None:
    results = models.run([(hits, 0, 45 - hits) for hits in HITS])
    first = results["csat", "0"]
    assert round(first["peer_mean"], 3) == 0.265
    assert round(first["shrunken_value"], 3) == 0.294
    shrinkage = (first["shrunken_value"] - first["peer_mean"]) / (first["value"] - first["peer_mean"])
    assert round(shrinkage, 3) == 0.212


def test_answers_needed_bring_reliability_to_seven_tenths(models: Models) -> None:
    groups = [(good, 0, 20 - good) for good in (8, 11, 12, 13, 17, 10, 14, 15)]
    needed = {entity: row["answers_needed"] for (code, entity), row in models.run(groups).items() if code == "csat"}
    spread = _moments(
        np.array([good / 20 for good, _, _ in groups]), np.full(8, 20.0), (mean := 100 / 160) * (1 - mean)
    )
    true = spread[0]
    assert true
    for extra in needed.values():
        assert _reliability(true, mean * (1 - mean), 20 + extra) >= 0.7
        assert _reliability(true, mean * (1 - mean), 20 + extra - 1) < 0.7


def test_the_day_of_an_employee_has_no_posterior(models: Models) -> None:
    con = models.connection
    models.run([(20, 5, 5), (10, 10, 10), (5, 5, 20), (15, 10, 5), (12, 9, 9)])
    con.execute(
        "insert into warehouse.intermediate.int_kpi_periods_touched (period_type, period_start) "
        "values ('day', '2026-03-01')"
    )
    con.execute(
        "insert into warehouse.intermediate.int_employees_peered (employee_id, period_type, period_start, job_role) "
        "select n::varchar, kind, date '2026-03-01', 'seller' from range(5) as e(n), (values ('day'), ('month')) as k(kind)"
    )
    found = {}
    for level, period_type in (("employee", "month"), ("employee", "day"), ("store", "day")):
        con.execute(
            "update warehouse.intermediate.int_kpis_estimated set level = ?, period_type = ?", [level, period_type]
        )
        rows = con.execute(f"select count(*) from ({models.shrunken_sql}) where reliability is not null").fetchall()
        found[level, period_type] = rows[0][0]
    con.execute("delete from warehouse.intermediate.int_kpi_periods_touched where period_type = 'day'")
    con.execute("delete from warehouse.intermediate.int_employees_peered")
    assert found == {("employee", "month"): 10, ("employee", "day"): 0, ("store", "day"): 10}
