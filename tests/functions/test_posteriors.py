"""What a group's cut is does not depend on the groups it is computed beside."""

from __future__ import annotations

import numpy as np
import pytest

from orchestration.functions import posteriors
from orchestration.functions.posteriors import beta_rank_cut


@pytest.mark.parametrize(("a", "b"), [(30.0, 0.2), (60.0, 0.1), (1000.0, 0.05)])
def test_a_group_has_its_cut_whatever_groups_are_in_the_same_chunk(a: float, b: float) -> None:
    # All mass lies close to 1, where a step of Newton's method is short long before its last digit is found: more steps,
    # made for the sake of another group, would find another cut.
    draw = np.random.default_rng(5)
    share, one = np.array([0.25]), np.ones(1)
    alone = beta_rank_cut(share, np.array([1]), np.array([a]), np.array([b]), one)
    for size in (1, 3, 17, 40):
        beside = beta_rank_cut(
            np.array([0.25, 0.25]), np.array([1, size]), np.append(a, draw.uniform(0.01, 5000, size)),
            np.append(b, draw.uniform(0.01, 5000, size)), np.ones(1 + size),
        )  # fmt: skip
        assert beside[0] == alone[0]


def test_a_cut_is_found_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # At the cut the last step is noise, on either side of the bracket's bound: halving from there would take forty more.
    steps = []
    tail = posteriors.beta_tail
    monkeypatch.setattr(posteriors, "beta_tail", lambda *of: steps.append(1) or tail(*of))
    draw = np.random.default_rng(7)
    sizes = np.full(300, 50)
    n = draw.integers(1, 40, sizes.sum()).astype(float)
    good = draw.binomial(n.astype(int), 0.6).astype(float)
    for share in (0.25, 0.75):
        steps.clear()
        cut = beta_rank_cut(np.full(300, share), sizes, 12 + good, 8 + n - good, np.ones(sizes.sum()))
        above = tail(np.repeat(cut, sizes), 12 + good, 8 + n - good).reshape(300, 50).mean(axis=1)
        assert above == pytest.approx(np.full(300, share), abs=1e-9)
        assert len(steps) <= 8
