"""Credits of touchpoints for conversions: Markov removal effects and Shapley values, on distinct paths with counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

# As in int_conversion_paths_counted; a campaign may be called anything with a > in it.
SEPARATOR = "␟"
_DIGITS = 12

SCHEMA = pa.schema(
    [
        ("outcome_code", pa.string()),
        ("unit_kind", pa.string()),
        ("period_type", pa.string()),
        ("period_start", pa.date32()),
        ("model_code", pa.string()),
        ("unit_code", pa.string()),
        ("credit_ratio", pa.float64()),
        ("removal_effect", pa.float64()),
    ]
)
Path = tuple[str, ...]


def removal_effects(paths: Mapping[Path, tuple[float, float]]) -> dict[str, float]:
    """Removal effect of each unit: 1 - P(conversion without it) / P(conversion).

    ``paths`` maps a path to how often it converted and how often it did not. The chain is of first order, from a start
    through the units to conversion or null; whoever would reach a removed unit goes to null. With N the expected visits,
    a chain reaches c with probability N[start, c] / N[c, c], and what it loses without c is that times P(conversion | c):
    one inverse serves all units. Without any conversion nothing is lost.
    """
    units = sorted({unit for path in paths for unit in path})
    place = {unit: number + 1 for number, unit in enumerate(units)}
    moves = np.zeros((len(units) + 1, len(units) + 1))
    converts, ends = np.zeros(len(units) + 1), np.zeros(len(units) + 1)
    for path, (converted, lost) in paths.items():
        states = [0, *(place[unit] for unit in path)]
        for here, there in pairwise(states):
            moves[here, there] += converted + lost
        converts[states[-1]] += converted
        ends[states[-1]] += converted + lost
    total = moves.sum(axis=1) + ends
    total[total == 0] = 1
    visits = np.linalg.inv(np.eye(len(total)) - moves / total[:, None])
    conversion = visits @ (converts / total)
    if conversion[0] <= 0:
        return dict.fromkeys(units, 0.0)
    return {unit: float(visits[0, at] / visits[at, at] * conversion[at] / conversion[0]) for unit, at in place.items()}


def shapley_values(dividends: Mapping[frozenset[Hashable], float]) -> dict[Hashable, float]:
    """Shapley values of the game v(S) = sum of ``dividends`` over the subsets of S.

    Each set's dividend is shared equally by its members (Harsanyi 1959), which is exact for any number of players: no
    coalition has to be enumerated or drawn.
    """
    values: dict[Hashable, float] = defaultdict(float)
    for members, worth in sorted(dividends.items(), key=lambda item: sorted(map(str, item[0]))):
        for member in members:
            values[member] += worth / len(members)
    return dict(values)


def _ratios(values: Mapping[Any, float]) -> dict[str, float]:
    total = sum(values[unit] for unit in sorted(values))
    if total <= 0:
        return {}
    return {str(unit): float(f"{values[unit] / total:.{_DIGITS}g}") for unit in sorted(values)}


def markov_credits(paths: Mapping[Path, tuple[float, float]]) -> dict[str, float]:
    """Shares of the removal effects, which add up to 1; empty where nothing converted."""
    return _ratios(removal_effects(paths))


def shapley_credits(paths: Mapping[Path, tuple[float, float]]) -> dict[str, float]:
    """Shares of the Shapley values of the game in which a coalition is worth the conversions its members reach alone."""
    dividends: Counter[frozenset[Hashable]] = Counter()
    for path, (converted, _) in paths.items():
        dividends[frozenset(path)] += converted  # type: ignore[assignment]
    return _ratios(shapley_values(dividends))


def credit_paths(counted: Any) -> pa.Table:
    """Credit each outcome, kind of unit and period of ``counted`` (a relation as dbt hands it over)."""
    groups: dict[Sequence[Any], dict[Path, tuple[float, float]]] = defaultdict(dict)
    columns = "outcome_code, unit_kind, period_type, period_start, path, paths, conversions"
    for *key, path, gone, converted in counted.project(columns).order(columns).fetchall():
        groups[tuple(key)][tuple(path.split(SEPARATOR))] = (float(converted), float(gone - converted))
    rows = []
    for (outcome_code, unit_kind, period_type, period_start), paths in groups.items():
        effects = removal_effects(paths)
        for model_code, ratios in (("markov", _ratios(effects)), ("shapley", shapley_credits(paths))):
            for unit, ratio in ratios.items():
                rows.append(
                    {
                        "outcome_code": outcome_code,
                        "unit_kind": unit_kind,
                        "period_type": period_type,
                        "period_start": period_start,
                        "model_code": model_code,
                        "unit_code": unit,
                        "credit_ratio": ratio,
                        "removal_effect": effects[unit] if model_code == "markov" else None,
                    }
                )
    return pa.Table.from_pylist(rows, schema=SCHEMA)
