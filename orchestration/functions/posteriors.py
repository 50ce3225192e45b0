"""Distribution functions for posteriors, on whole columns. What scipy computes is not computed again here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
# A cut is found when a step no longer moves it by this share of where it may lie, which is wide: where everybody is
# satisfied all posteriors crowd at the end. Four steps do for most groups, and halving alone would need forty.
_CLOSE = 1e-10
# Nor is one looked for any longer that leaves this share of the members too many or too few above it.
_EXACT = 1e-13
_MOST_STEPS = 60
_WIDEST = 12.0


def beta_quantile(share: Floats, a: Floats, b: Floats) -> Floats:
    """The value below which a beta distribution has ``share`` of its mass."""
    return np.asarray(special.betaincinv(a, b, share), dtype=np.float64)


def beta_tail(value: Floats, a: Floats, b: Floats) -> Floats:
    """The mass of a beta distribution above ``value``."""
    # By symmetry; scipy's own complement is twenty times slower.
    return np.asarray(special.betainc(b, a, 1.0 - np.clip(value, 0.0, 1.0)), dtype=np.float64)


def normal_tail(value: Floats, mean: Floats, deviation: Floats) -> Floats:
    """The mass of a normal distribution above ``value``; a deviation of 0 is a point."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = special.ndtr((mean - value) / deviation)
    point = np.where(mean > value, 1.0, np.where(mean < value, 0.0, 0.5))
    return np.asarray(np.where(deviation > 0, tail, point), dtype=np.float64)


def beta_rank_cut(top_share: Floats, sizes: NDArray[np.int64], a: Floats, b: Floats, members: Floats) -> Floats:
    """Per group of beta posteriors, the value that ``top_share`` of its members are expected to exceed.

    ``a``, ``b`` and ``members`` (how many share a posterior) hold the groups one after the other, ``sizes`` their lengths.
    """
    logarithm = special.betaln(a, b)

    def tail(cut: Floats, of: NDArray[np.int64]) -> Floats:
        return beta_tail(cut, a[of], b[of])

    def density(cut: Floats, of: NDArray[np.int64]) -> Floats:
        return np.asarray(np.exp(special.xlogy(a[of] - 1, cut) + special.xlog1py(b[of] - 1, -cut) - logarithm[of]))

    groups = len(sizes)
    mean = a / (a + b)
    guess = normal_rank_cut(top_share, sizes, mean, np.sqrt(mean * (1 - mean) / (a + b + 1)), members)
    return _rank_cut(top_share, sizes, members, np.zeros(groups), np.ones(groups), guess, tail, density)


def normal_rank_cut(
    top_share: Floats, sizes: NDArray[np.int64], mean: Floats, deviation: Floats, members: Floats
) -> Floats:
    """Per group of normal posteriors, the value that ``top_share`` of its members are expected to exceed."""
    starts = _starts(sizes)
    low = np.minimum.reduceat(mean - _WIDEST * deviation, starts)
    high = np.maximum.reduceat(mean + _WIDEST * deviation, starts)
    # All members together as if they were one normal distribution.
    total = np.add.reduceat(members, starts)
    middle = np.add.reduceat(members * mean, starts) / total
    square = np.add.reduceat(members * (deviation**2 + mean**2), starts) / total
    guess = middle + special.ndtri(1 - top_share) * np.sqrt(np.maximum(square - middle**2, 0))

    def tail(cut: Floats, of: NDArray[np.int64]) -> Floats:
        return normal_tail(cut, mean[of], deviation[of])

    def density(cut: Floats, of: NDArray[np.int64]) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            height = np.exp(-(((cut - mean[of]) / deviation[of]) ** 2) / 2) / (deviation[of] * np.sqrt(2 * np.pi))
        return np.asarray(np.where(deviation[of] > 0, height, 0.0))

    return _rank_cut(top_share, sizes, members, low, high, guess, tail, density)


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)


def _rank_cut(
    top_share: Floats,
    sizes: NDArray[np.int64],
    members: Floats,
    low: Floats,
    high: Floats,
    cut: Floats,
    tail: Callable[[Floats, NDArray[np.int64]], Floats],
    density: Callable[[Floats, NDArray[np.int64]], Floats],
) -> Floats:
    """Newton's method inside a bracket: a step that would leave it halves it instead."""
    found = np.clip(cut, low, high)
    sought: NDArray[np.int64] = np.arange(len(sizes))
    member: NDArray[np.int64] = np.arange(len(members))
    whole = np.add.reduceat(members, _starts(sizes))
    wanted = top_share * whole
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    low, high = low.copy(), high.copy()
    for _ in range(_MOST_STEPS):
        # Groups of which the cut is found are not looked at again.
        starts, cut = _starts(sizes[sought]), found[sought]
        spread = np.repeat(cut, sizes[sought])
        excess = np.add.reduceat(members[member] * tail(spread, member), starts) - wanted[sought]
        slope = np.add.reduceat(members[member] * density(spread, member), starts)
        low[sought] = np.where(excess > 0, cut, low[sought])
        high[sought] = np.where(excess > 0, high[sought], cut)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = cut + excess / slope
        inside = np.isfinite(step) & (step > low[sought]) & (step < high[sought])
        # From the cut itself a step is nothing, or the noise of the last digit: it must not count as one out of the bracket.
        exact = np.abs(excess) <= _EXACT * whole[sought]
        found[sought] = np.where(exact, cut, np.where(inside, step, (low[sought] + high[sought]) / 2))
        moves = np.abs(found[sought] - cut) > _CLOSE * width[sought]
        member = member[np.repeat(moves, sizes[sought])]
        sought = sought[moves]
        if not len(sought):
            break
    return np.asarray(found, dtype=np.float64)


def in_order(sizes: NDArray[Any], *columns: Floats) -> list[Floats]:
    """The members of each group sorted by their values, so that sums do not depend on the order rows arrive in."""
    group: NDArray[Any] = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((*reversed(columns), group))
    return [column[order] for column in columns]
