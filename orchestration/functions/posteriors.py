"""Distribution functions for posteriors, on whole columns. What scipy computes is not computed again here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
# A cut is found when a step no longer moves it by this share of where it may lie; five steps do for most groups, and
# halving alone would need forty.
_CLOSE = 1e-10
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

    def density(cut: Floats) -> Floats:
        return np.asarray(np.exp(special.xlogy(a - 1, cut) + special.xlog1py(b - 1, -cut) - logarithm))

    groups = len(sizes)
    mean = a / (a + b)
    guess = normal_rank_cut(top_share, sizes, mean, np.sqrt(mean * (1 - mean) / (a + b + 1)), members)
    return _rank_cut(
        top_share, sizes, members, np.zeros(groups), np.ones(groups), guess, lambda cut: beta_tail(cut, a, b), density
    )


def normal_rank_cut(
    top_share: Floats, sizes: NDArray[np.int64], mean: Floats, deviation: Floats, members: Floats
) -> Floats:
    """Per group of normal posteriors, the value that ``top_share`` of its members are expected to exceed."""
    starts = _starts(sizes)
    low = np.minimum.reduceat(mean - _WIDEST * deviation, starts)
    high = np.maximum.reduceat(mean + _WIDEST * deviation, starts)

    def density(cut: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            height = np.exp(-(((cut - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
        return np.asarray(np.where(deviation > 0, height, 0.0))

    return _rank_cut(
        top_share, sizes, members, low, high, (low + high) / 2, lambda cut: normal_tail(cut, mean, deviation), density
    )


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)


def _rank_cut(
    top_share: Floats,
    sizes: NDArray[np.int64],
    members: Floats,
    low: Floats,
    high: Floats,
    cut: Floats,
    tail: Callable[[Floats], Floats],
    density: Callable[[Floats], Floats],
) -> Floats:
    """Newton's method inside a bracket: a step that would leave it halves it instead."""
    starts = _starts(sizes)
    wanted = top_share * np.add.reduceat(members, starts)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    cut = np.clip(cut, low, high)
    # A group that is done stays where it is: between two posteriors any value may be a cut, and more steps for the sake of
    # other groups would choose another.
    is_done = np.zeros(len(sizes), dtype=bool)
    for _ in range(_MOST_STEPS):
        spread = np.repeat(cut, sizes)
        excess = np.add.reduceat(members * tail(spread), starts) - wanted
        slope = np.add.reduceat(members * density(spread), starts)
        low, high = np.where(excess > 0, cut, low), np.where(excess > 0, high, cut)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = cut + excess / slope
        inside = np.isfinite(step) & (step > low) & (step < high)
        moved = np.where(is_done, cut, np.where(inside, step, (low + high) / 2))
        is_done |= np.abs(moved - cut) <= _CLOSE * width
        cut = moved
        if bool(is_done.all()):
            break
    return np.asarray(cut, dtype=np.float64)


def in_order(sizes: NDArray[Any], *columns: Floats) -> list[Floats]:
    """The members of each group sorted by their values, so that sums do not depend on the order rows arrive in."""
    group: NDArray[Any] = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((*reversed(columns), group))
    return [column[order] for column in columns]
