"""Credits of touchpoints: the published figures, the definitions spelled out, and another implementation."""

from __future__ import annotations

import random
from itertools import pairwise, permutations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.journey.attribution import (
    credit_paths,
    markov_credits,
    removal_effects,
    shapley_credits,
    shapley_values,
)

Paths = dict[tuple[str, ...], tuple[float, float]]
PATHS = st.dictionaries(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6).map(tuple),
    st.tuples(st.integers(0, 9).map(float), st.integers(0, 9).map(float)).filter(any),
    min_size=1,
    max_size=12,
)
# Conversion ratios of the sets of three channels, and the values they are worth.
PUBLISHED = {"F": 0.18, "G": 0.04, "L": 0.08, "FG": 0.10, "FL": 0.26, "GL": 0.07, "FGL": 0.27}
QUIET = settings(max_examples=60, deadline=None)


def conversion(paths: Paths, without: str | None = None) -> float:
    """Probability of conversion by the moves as they were made, followed until nothing is left to move."""
    moves: dict[str, dict[str, float]] = {}
    for path, (converted, lost) in paths.items():
        states = ["(start)", *path]
        for here, there in pairwise(states):
            row = moves.setdefault(here, {})
            row[there] = row.get(there, 0) + converted + lost
        last = moves.setdefault(states[-1], {})
        last["(conversion)"] = last.get("(conversion)", 0) + converted
        last["(null)"] = last.get("(null)", 0) + lost
    mass, reached = {"(start)": 1.0}, 0.0
    for _ in range(5000):
        following: dict[str, float] = {}
        for state, weight in mass.items():
            total = sum(moves[state].values())
            for target, count in moves[state].items():
                if target == "(conversion)":
                    reached += weight * count / total
                elif target not in ("(null)", without):
                    following[target] = following.get(target, 0) + weight * count / total
        mass = following
        if sum(mass.values()) < 1e-13:
            break
    return reached


def test_the_published_shapley_values_come_out() -> None:
    values = shapley_values({frozenset(members): ratio for members, ratio in PUBLISHED.items()})
    assert {unit: round(value, 12) for unit, value in values.items()} == {"F": 0.45, "G": 0.215, "L": 0.335}


@QUIET
@given(
    st.dictionaries(
        st.frozensets(st.sampled_from("abcde"), min_size=1), st.floats(-5, 5, allow_nan=False), min_size=1, max_size=10
    )
)
def test_shapley_is_the_mean_contribution_over_all_orders(dividends: dict[frozenset[str], float]) -> None:
    players = sorted(set().union(*dividends))
    worth = lambda members: sum(value for group, value in dividends.items() if group <= members)  # noqa: E731
    orders = list(permutations(players))
    values = shapley_values(dividends)
    for player in players:
        expected = sum(
            worth(frozenset(order[: order.index(player) + 1])) - worth(frozenset(order[: order.index(player)]))
            for order in orders
        ) / len(orders)
        assert values[player] == pytest.approx(expected, abs=1e-9)


@QUIET
@given(PATHS)
def test_a_removal_effect_is_what_is_lost_when_the_inflow_goes_to_null(paths: Paths) -> None:
    effects = removal_effects(paths)
    whole = conversion(paths)
    for unit, effect in effects.items():
        expected = 1 - conversion(paths, without=unit) / whole if whole else 0
        assert effect == pytest.approx(expected, abs=1e-7)


@QUIET
@given(PATHS)
def test_credits_are_shares_of_the_whole_and_none_without_a_conversion(paths: Paths) -> None:
    converts = any(converted for converted, _ in paths.values())
    for ratios in (markov_credits(paths), shapley_credits(paths)):
        assert all(ratio >= 0 for ratio in ratios.values())
        assert sum(ratios.values()) == pytest.approx(1 if converts else 0, abs=1e-9)


def test_a_way_without_a_conversion_lowers_what_was_on_it() -> None:
    before: Paths = {("a", "c"): (10, 0), ("b",): (10, 0)}
    after: Paths = {**before, ("a",): (0, 30)}
    assert markov_credits(after)["c"] > markov_credits(after)["a"] - 1e-9
    assert removal_effects(after)["b"] > removal_effects(before)["b"] - 1e-9
    assert conversion(after) < conversion(before)


def test_shapley_of_thirty_touchpoints_is_exact() -> None:
    units = [f"t{number:02}" for number in range(30)]
    values = shapley_credits({tuple(units): (3, 0), (units[0],): (1, 5)})
    assert values[units[0]] == pytest.approx((3 / 30 + 1) / 4)
    assert values[units[7]] == pytest.approx(3 / 30 / 4)


def test_the_model_credits_each_group_by_itself() -> None:
    connection = duckdb.connect()
    relation = connection.sql(
        """
        select 'order' as outcome_code, 'touchpoint' as unit_kind, 'quarter' as period_type,
               unnest([date '2026-01-01', date '2026-01-01', date '2026-04-01']) as period_start,
               unnest(['a␟b', 'a', 'b']) as path, unnest([4, 6, 2]) as paths, unnest([2, 0, 0]) as conversions
        """
    )
    rows = credit_paths(relation).to_pylist()
    assert {row["period_start"].month for row in rows} == {1}, "nothing converted in the second quarter"
    markov = {row["unit_code"]: row for row in rows if row["model_code"] == "markov"}
    assert markov["a"]["credit_ratio"] == pytest.approx(0.5)
    assert markov["b"]["removal_effect"] == pytest.approx(1)


def test_credits_agree_with_channel_attribution() -> None:
    """The package has no wheel and is built where somebody wants the comparison: it is none of the project's. It imports
    matplotlib without asking for it. Version 2.2.5 agrees.
    """
    pytest.importorskip("matplotlib", reason="ChannelAttribution needs matplotlib, which is not installed")
    library = pytest.importorskip("ChannelAttribution", reason="ChannelAttribution is not installed (no wheel)")
    pandas = pytest.importorskip("pandas")
    draw = random.Random(5)
    for _ in range(20):
        paths: Paths = {}
        for _ in range(draw.randint(3, 25)):
            path = tuple(draw.choice("abcdefg") for _ in range(draw.randint(1, 6)))
            paths[path] = (float(draw.randint(0, 20)), float(draw.randint(0, 40)))
        paths[("a", "b")] = (5.0, 5.0)
        frame = pandas.DataFrame(
            [{"path": " > ".join(path), "good": counts[0], "bad": counts[1]} for path, counts in paths.items()]
        )
        rules = library.heuristic_models(frame, "path", "good", flg_pro=False).set_index("channel_name")
        for unit in rules.index:
            first = sum(good for path, (good, _) in paths.items() if path[0] == unit)
            last = sum(good for path, (good, _) in paths.items() if path[-1] == unit)
            linear = sum(good * path.count(unit) / len(path) for path, (good, _) in paths.items())
            assert rules.loc[unit, "first_touch"] == pytest.approx(first)
            assert rules.loc[unit, "last_touch"] == pytest.approx(last)
            assert rules.loc[unit, "linear_touch"] == pytest.approx(linear)
        # The package walks the chain at random; ours is solved. Walks are not cut off, and a hundred thousand of them
        # leave an error of about one in a hundred.
        chain = library.markov_model(
            frame, "path", "good", var_null="bad", out_more=True, max_step=100_000, verbose=False, flg_pro=False
        )
        theirs = chain["removal_effects"].set_index("channel_name")["removal_effect"]
        credits = chain["result"].set_index("channel_name")["total_conversions"]
        whole = sum(good for good, _ in paths.values())
        ratios = markov_credits(paths)
        for unit, effect in removal_effects(paths).items():
            assert theirs.get(unit, 0.0) == pytest.approx(effect, abs=0.03)
            assert credits.get(unit, 0.0) / whole == pytest.approx(ratios[unit], abs=0.02)


def test_no_path_at_all_credits_nobody() -> None:
    assert removal_effects({}) == {}
    assert np.isclose(sum(markov_credits({("a",): (0.0, 3.0)}).values()), 0)
