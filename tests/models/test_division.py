"""Quotients of decimals against the decimal module, half-up at the 12th decimal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.settings import Company
from orchestration.transform import run_dbt

pytestmark = pytest.mark.xdist_group("models")

NUMBERS = st.decimals(-10**12, 10**12, places=4) | st.decimals(-500, 500, places=4) | st.integers(-10, 10).map(Decimal)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=200)


COUNTS = st.integers(-10**12, 10**12) | st.integers(-10, 10) | st.integers(3_999_990, 4_000_010)
PAIRS_OF_COUNTS = st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=200)


def division_by(macro: str, company: Company) -> str:
    """The macro's SQL over the columns ``n`` and ``d``."""
    call = f"select {{{{ {macro}('n', 'd') }}}} as quotient from numbers order by place"
    result = run_dbt(company, "compile", "--inline", call)
    assert result.success, result.exception
    return str(result.result.results[0].node.compiled_code)


@pytest.fixture(scope="module", params=["exact_divide", "exact_divide_scores"])
def division(request: pytest.FixtureRequest, empty_warehouse: Company) -> str:
    return division_by(request.param, empty_warehouse)


@pytest.fixture(scope="module")
def division_of_counts(empty_warehouse: Company) -> str:
    return division_by("exact_divide_counts", empty_warehouse)


def quotients(division: str, kind: str, pairs: Sequence[tuple[Decimal | int, Decimal | int]]) -> list[Decimal | None]:
    """What DuckDB makes of ``n / d`` in columns of that type."""
    with duckdb.connect() as connection:
        connection.execute(f"create table numbers (place integer, n {kind}, d {kind})")
        connection.executemany("insert into numbers values (?, ?, ?)", [[i, n, d] for i, (n, d) in enumerate(pairs)])
        return [row[0] for row in connection.execute(division).fetchall()]


def quotient(n: Decimal, d: Decimal) -> Decimal | None:
    with localcontext() as context:
        context.prec = 60
        return (n / d).quantize(Decimal("1e-12"), ROUND_HALF_UP) if d else None


@settings(max_examples=60, deadline=None)
@given(PAIRS)
@example([(Decimal("460"), Decimal("0.01")), (Decimal("-460"), Decimal("-460")), (Decimal("460.0001"), Decimal("3"))])
@example([(Decimal("1"), Decimal("0.0099")), (Decimal("7"), Decimal("0")), (Decimal("-2"), Decimal("3"))])
def test_quotients_are_exact_whatever_the_size_of_the_numbers(division: str, pairs: list[tuple[Decimal, Decimal]]) -> None:
    assert quotients(division, "decimal(18, 4)", pairs) == [quotient(n, d) for n, d in pairs]


@settings(max_examples=60, deadline=None)
@given(PAIRS_OF_COUNTS)
@example([(1, 4_000_000), (4_000_000, 4_000_000), (-3_999_999, 4_000_000), (4_000_001, 4_000_001), (4_999_999, 5_000_000)])
@example([(3, 2), (-2, 3), (1, 0)])
def test_quotients_of_counts_are_exact(division_of_counts: str, pairs: list[tuple[int, int]]) -> None:
    assert quotients(division_of_counts, "bigint", pairs) == [quotient(Decimal(n), Decimal(d)) for n, d in pairs]
