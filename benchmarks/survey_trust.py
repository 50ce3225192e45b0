"""Whether the measures can be trusted, where the truth is known.

    .venv/bin/python -m benchmarks.survey_trust <marts.duckdb> <truth.json>

Coverage: 1,000 chains of 40 stores whose true shares come from the sample chain's own parameters; answers are drawn, the
intervals are those of the models' macros. Shrinkage and screens: a published night of the default chain and its truth.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from jinja2 import Environment
from scipy import stats

from orchestration.sample.model import MODEL
from orchestration.settings import PROJECT_DIR

CHAINS, STORES = 1_000, 40
SAMPLE_SIZES = (10, 20, 30, 50, 100, 200, 500, 1_000)


def _bounds() -> dict[str, str]:
    """The SQL of the intervals, rendered from the macros the models use."""
    source = (PROJECT_DIR / "macros" / "business" / "intervals.sql").read_text(encoding="utf-8")
    module: Any = Environment(extensions=["jinja2.ext.do"]).from_string(source).module
    return {
        "csat_low": module.wilson_bound("p", "n", "low"),
        "csat_high": module.wilson_bound("p", "n", "high"),
        "nps_low": module.nps_bound("r", "d", "n", "low"),
        "nps_high": module.nps_bound("r", "d", "n", "high"),
    }


def _shares(latent: np.ndarray, cuts: list[float], from_cut: int) -> np.ndarray:
    """P(score above the cut) of customers of latent mean ``latent``."""
    spread = np.sqrt(1 + MODEL.question_sd**2)
    return np.asarray(1 - stats.norm.cdf((cuts[from_cut] - latent) / spread))


def coverage() -> None:
    """Print the share of intervals that hold the truth, by measure and n."""
    random = np.random.default_rng(20261031)
    latent = random.normal(0, MODEL.store_sd, (CHAINS, STORES)).ravel()
    csat_cuts, nps_cuts = MODEL.cuts(MODEL.csat_shares), MODEL.cuts(MODEL.nps_shares)
    satisfied = _shares(latent, csat_cuts, 2)
    promoters, not_detractors = _shares(latent, nps_cuts, 8), _shares(latent, nps_cuts, 6)
    con = duckdb.connect()
    sql = _bounds()
    print("| n | CSAT, Wilson | NPS, adjusted Wald |")
    print("|---|---|---|")
    for n in SAMPLE_SIZES:
        p = random.binomial(n, satisfied)
        parts = np.stack([promoters, not_detractors - promoters, 1 - not_detractors], axis=1)
        answers = random.multinomial(n, parts / parts.sum(axis=1, keepdims=True))
        draws = {  # noqa: F841 (read by DuckDB)
            "p": p, "r": answers[:, 0], "d": answers[:, 2], "n": np.full(len(p), n),
            "csat": satisfied, "nps": 100 * (promoters - 1 + not_detractors),
        }  # fmt: skip
        row = con.execute(
            f"select avg((csat between {sql['csat_low']} and {sql['csat_high']})::int), "
            f"avg((nps between {sql['nps_low']} and {sql['nps_high']})::int) from draws"
        ).fetchall()[0]
        print(f"| {n:,} | {row[0]:.2%} | {row[1]:.2%} |")


def shrinkage(marts: Path, truth: dict[str, Any]) -> None:
    """Print the squared error of raw and shrunken monthly CSAT of those who sell in a store."""
    con = duckdb.connect(str(marts), read_only=True)
    rollouts = {store: entry["rollout_on"] for store, entry in truth["stores"].items()}
    cut, spread = MODEL.cuts(MODEL.csat_shares)[2], np.sqrt(1 + MODEL.question_sd**2)
    answers = con.execute(
        "select a.employee_id, date_trunc('month', a.submitted_on)::date as month, a.store_id, a.segment, "
        "r.interaction_on from core.survey_answers a inner join core.survey_responses r using (response_id) "
        "where a.measure_code = 'csat' and a.exclusion_reason is null and a.touchpoint_code = 'checkout_till' "
        "and a.employee_id is not null"
    ).fetchall()
    true: dict[tuple[str, Any], list[float]] = {}
    for employee, month, store, segment, day in answers:
        rollout = rollouts[store]
        latent = truth["stores"][store]["effect"] + truth["employees"][employee]["effect"]
        latent += MODEL.gold_lift if segment == "gold" else 0
        latent += MODEL.scheme_lift if rollout and day.isoformat() >= rollout else 0
        true.setdefault((employee, month), []).append(1 - stats.norm.cdf((cut - latent) / spread))
    results = con.execute(
        "select entity_id, period_start, value::double, shrunken_value, n, credible_low, credible_high "
        "from kpi.kpi_results where measure_code = 'csat' and level = 'employee' and period_type = 'month' "
        "and peer_group = 'sales_associate' and shrunken_value is not null"
    ).fetchall()
    known = [(row, float(np.mean(true[row[:2]]))) for row in results if len(true.get(row[:2], ())) == row[4]]
    raw = np.mean([(row[2] - goal) ** 2 for row, goal in known])
    shrunken = np.mean([(row[3] - goal) ** 2 for row, goal in known])
    covered = np.mean([row[5] <= goal <= row[6] for row, goal in known])
    print(f"employee-months {len(known):,}: mean squared error raw {raw:.5f}, shrunken {shrunken:.5f}, "
          f"{1 - shrunken / raw:.1%} less; 90 % credible intervals hold the truth {covered:.1%}")  # fmt: skip


def screens(marts: Path, truth: dict[str, Any]) -> None:
    """Print who was flagged."""
    con = duckdb.connect(str(marts), read_only=True)
    flagged = {row[0] for row in con.execute("select employee_id from kpi.integrity_flags where is_flagged").fetchall()}
    seen = con.execute("select count(distinct employee_id) from kpi.integrity_flags").fetchall()[0][0]
    filler = truth["self_filler"]["employee_id"]
    honest = len(flagged - {filler})
    print(f"self-filler {filler} flagged: {filler in flagged}; honest employees flagged: {honest} of {seen - 1}")
    found = con.execute(
        "select count(*) from core.survey_responses where exclusion_reason = 'repeated_device'"
    ).fetchall()[0][0]
    print(f"responses filled in by the self-filler {truth['self_filler']['responses']}, screened by device {found}")


def main() -> None:
    """Measure and print."""
    marts, truth = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(f"machine: {os.cpu_count()} cores; {CHAINS:,} chains of {STORES} stores")
    coverage()
    shrinkage(marts, truth)
    screens(marts, truth)


if __name__ == "__main__":
    main()
