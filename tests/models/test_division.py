"""Quotients of decimals against the decimal module, half-up at the 12th decimal."""

from __future__ import annotations

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


@pytest.fixture(scope="module", params=["exact_divide", "exact_divide_scores"])
def division(request: pytest.FixtureRequest, empty_warehouse: Company) -> str:
    """The macro's SQL over the columns ``n`` and ``d``."""
    call = f"select {{{{ {request.param}('n', 'd') }}}} as quotient from numbers order by place"
    result = run_dbt(empty_warehouse, "compile", "--inline", call)
    assert result.success, result.exception
    return str(result.result.results[0].node.compiled_code)


def quotient(n: Decimal, d: Decimal) -> Decimal | None:
    with localcontext() as context:
        context.prec = 60
        return (n / d).quantize(Decimal("1e-12"), ROUND_HALF_UP) if d else None


@settings(max_examples=60, deadline=None)
@given(PAIRS)
@example([(Decimal("460"), Decimal("0.01")), (Decimal("-460"), Decimal("-460")), (Decimal("460.0001"), Decimal("3"))])
@example([(Decimal("1"), Decimal("0.0099")), (Decimal("7"), Decimal("0")), (Decimal("-2"), Decimal("3"))])
def test_quotients_are_exact_whatever_the_size_of_the_numbers(division: str, pairs: list[tuple[Decimal, Decimal]]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table numbers (place integer, n decimal(18, 4), d decimal(18, 4))")
        connection.executemany("insert into numbers values (?, ?, ?)", [[i, n, d] for i, (n, d) in enumerate(pairs)])
        found = [row[0] for row in connection.execute(division).fetchall()]
    assert found == [quotient(n, d) for n, d in pairs]
