"""Fitting and scoring customer value against ``lifetimes``, side by side in one run.

    python3 -m venv /tmp/bench && /tmp/bench/bin/pip install -r benchmarks/customer_value.requirements.txt
    PYTHONPATH=. /tmp/bench/bin/python benchmarks/customer_value.py compare 100000 1000000
    PYTHONPATH=. /tmp/bench/bin/python benchmarks/customer_value.py scale 1000000 10000000

``compare`` gives both the same arrays, one row per customer; ours groups them first, inside the time taken. ``scale`` works on a
DuckDB file as the night does: grouping and scoring in SQL with the models' own macros, fitting in Python.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import numpy as np

from orchestration.value.nightly import expect_for, fit_models
from orchestration.value.purchases import fit_purchases, group_histories, log_likelihood

PARAMETERS = (0.8, 4.2, 0.8, 6.0)
DAYS = 548
CHUNK = 500_000
MACROS = Path(__file__).resolve().parent.parent / "macros" / "business" / "customer_value.sql"


def simulate(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories of BG/NBD customers who first bought on any of the days: repeats, last_days, age_days."""
    rng = np.random.default_rng(seed)
    r, alpha, a, b = PARAMETERS
    rate, drop = rng.gamma(r, 1 / alpha, customers) / 7, rng.beta(a, b, customers)
    age = rng.integers(1, DAYS + 1, customers)
    repeats, last, now = np.zeros(customers, np.int64), np.zeros(customers, np.int64), np.zeros(customers)
    alive = np.arange(customers)
    while len(alive):
        now[alive] += rng.exponential(1.0, len(alive)) / np.maximum(rate[alive], 1e-12)
        alive = alive[now[alive] < age[alive]]
        day = np.floor(now[alive]).astype(np.int64)
        new = day > last[alive]
        repeats[alive[new]] += 1
        last[alive] = day
        alive = alive[rng.random(len(alive)) >= drop[alive]]
    return repeats, last, age.astype(np.int64)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def compare(customers: int, rounds: int) -> None:
    from lifetimes import BetaGeoFitter

    repeats, last, age = simulate(customers, seed=1)
    frequency, recency, weeks = repeats.astype(float), last / 7, age / 7
    ours, theirs = [], []
    for _ in range(rounds):
        seconds, fit = timed(lambda: fit_purchases(group_histories(repeats, last, age)))
        ours.append(seconds)
        seconds, other = timed(lambda: BetaGeoFitter(penalizer_coef=0.0).fit(frequency, recency, weeks))
        theirs.append(seconds)
    histories = group_histories(repeats, last, age)
    r, alpha, a, b = (float(other.params_[name]) for name in ("r", "alpha", "a", "b"))
    difference = log_likelihood(histories, fit.parameters) - log_likelihood(histories, (r, alpha, a, b))
    ratio = statistics.median(there / here for here, there in zip(ours, theirs, strict=True))
    print(
        f"| {customers:,} | {len(histories.customers):,} | {statistics.median(ours):.2f} s | "
        f"{statistics.median(theirs):.2f} s | {ratio:.1f} | {difference:+.6f} |",
        flush=True,
    )


def scale(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "bench.duckdb"), config={"memory_limit": "2GB", "threads": 2})
        connection.execute(f"set temp_directory = '{folder}'")
        connection.execute(
            "create table histories (customer_id bigint, repeats bigint, last_days bigint, age_days bigint, "
            "spend_count bigint, spend_amount decimal(28, 4))"
        )
        for number, start in enumerate(range(0, customers, CHUNK)):
            size = min(CHUNK, customers - start)
            repeats, last, age = simulate(size, seed=number)
            rng = np.random.default_rng(number)
            scale_of = 470 / rng.gamma(6.0, 1.0, size)
            spend = np.round(rng.gamma(6.0 * np.maximum(repeats, 1), 1.0) * scale_of * (repeats > 0), 2)
            chunk = {"id": np.arange(start, start + size), "x": repeats, "t": last, "age": age, "spend": spend}  # noqa: F841
            connection.execute("insert into histories select id, x, t, age, x, spend from chunk")
        night = "select date '2026-10-31' as looked_from, 0.5 as merged_day_correction_days, 0.1 as clv_yearly_discount"

        def fit() -> Any:
            grouped = connection.sql(
                "select date '2026-10-31' as fitted_on, '*' as model_segment, repeats, last_days, age_days, "
                "count(*) as customers from histories group by all"
            )
            spend = connection.sql(
                "select date '2026-10-31' as fitted_on, '*' as model_segment, spend_count, spend_amount, "
                "count(*) as customers from histories where spend_count > 0 group by all"
            )
            return fit_models(grouped, spend, connection.sql(night))

        fit_seconds, table = timed(fit)
        connection.register("model_table", table)
        connection.execute("create table models as select * from model_table")
        macros: Any = jinja2.Environment().from_string(MACROS.read_text(encoding="utf-8")).module

        def score() -> None:
            asked = connection.sql(
                "select distinct models.parameters_version as model_key, r, alpha, a, b, merged_day_correction_days, "
                "cast(horizon_days as bigint) as horizon_days, cast(0.1 as double) as yearly_discount, repeats, age_days "
                "from histories cross join models cross join (values (365), (1095)) as horizons (horizon_days)"
            )
            connection.register("expected_table", expect_for(asked))
            connection.execute("create or replace table expected as select * from expected_table")
            connection.execute(
                f"""
                create or replace table scored as
                select
                    histories.customer_id,
                    {macros.probability_alive("models", "histories")} as probability_alive,
                    {macros.expected_spend("models", "histories")} as expected_spend,
                    probability_alive * short_run.discounted_purchases * expected_spend * 0.35 as clv_12m_amount,
                    probability_alive * long_run.discounted_purchases * expected_spend * 0.35 as clv_36m_amount
                from histories
                cross join models
                inner join expected as short_run
                    on short_run.horizon_days = 365 and histories.repeats = short_run.repeats
                    and histories.age_days = short_run.age_days
                inner join expected as long_run
                    on long_run.horizon_days = 1095 and histories.repeats = long_run.repeats
                    and histories.age_days = long_run.age_days
                """
            )

        score_seconds, _ = timed(score)
        rows = connection.execute("select count(*) from scored where clv_36m_amount >= clv_12m_amount").fetchall()[0][0]
        assert rows == customers
        problems = connection.execute(
            "select purchase_problem, spend_problem, distinct_histories from models"
        ).fetchall()[0]
        assert problems[:2] == (None, None), problems
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"| {customers:,} | {problems[2]:,} | {fit_seconds:.2f} s | {score_seconds:.2f} s | {peak:.2f} GB |",
            flush=True,
        )


if __name__ == "__main__":
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    print(f"{os.cpu_count()} cores, {memory:.0f} GB\n")
    sizes = [int(size) for size in sys.argv[2:]]
    if sys.argv[1] == "compare":
        print(
            "| customers | distinct histories | ours, with grouping | lifetimes 0.11.3 | ratio | log-likelihood, ours - theirs |"
        )

        print("|---|---|---|---|---|---|")
        for size in sizes:
            compare(size, rounds=3 if size <= 200_000 else 1)
    else:
        print("| customers | distinct histories | grouped and fitted | scored | peak memory |")
        print("|---|---|---|---|---|")
        for size in sizes:
            scale(size)
