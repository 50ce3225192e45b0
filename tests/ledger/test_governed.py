"""Policy that a closed month was paid by is not edited in place; policy after it, and wording, are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.policy import PolicyError, check_policy
from orchestration.ledger import operations
from orchestration.ledger.basis import Basis
from orchestration.ledger.frozen import Frozen
from orchestration.ledger.governed import check_governed_policy
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import copy_company
from tests.ledger.conftest import JUNE, MAY, Shop, believe, open_shop

CURVE = "payout_standard,linear,0.8,0.6,2025-01-01,,board"
VISITS = "visits,Visits,客流,sales,count,higher_is_better,month,1,1,false,false,1,2025-01-01,,board,Counted at the door"
CHANGED_FROM = (
    "payout_standard,linear,0.8,0.6,2025-01-01,{day},board,{{reason}}\npayout_standard,linear,0.8,0.7,{day},,board"
)


def keep_policy(company: Company, basis: Basis) -> Frozen:
    paths = sorted((company.seeds_dir / "policy").glob("*.csv"))
    return Frozen({"time_zone": "UTC"}, {f"seeds/policy/{path.name}": path.read_bytes() for path in paths})


@pytest.fixture(scope="module")
def may_is_closed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = open_shop(tmp_path_factory.mktemp("governed") / "company")
    operations.calculate(shop.company, MAY, "Ann")
    operations.approve(shop.company, MAY, "Bob")
    operations.close(shop.company, MAY, "Cem", keep_policy, believe)
    operations.calculate(shop.company, JUNE, "Ann")
    return shop


@pytest.fixture
def closed(may_is_closed: Shop) -> Iterator[Shop]:
    """May is closed under the policy delivered, June is calculated. Every test finds the policy as delivered."""
    folder = may_is_closed.company.seeds_dir / "policy"
    before = {path: path.read_bytes() for path in folder.glob("*.csv")}
    yield may_is_closed
    for path, content in before.items():
        path.write_bytes(content)


def edit(shop: Shop, seed: str, old: str, new: str) -> None:
    path = shop.company.seeds_dir / "policy" / f"{seed}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def changed_from(day: str) -> str:
    return CHANGED_FROM.format(day=day).format(reason="One step on the curve")


def test_nothing_is_compared_before_the_first_close(tmp_path: Path) -> None:
    check_governed_policy(copy_company(PROJECT_DIR, tmp_path / "company"))


@pytest.mark.parametrize(
    ("seed", "old", "new"),
    [
        ("scoring_curves", CURVE, changed_from("2026-06-01")),
        ("scoring_curves", CURVE, changed_from("2026-07-01")),
        ("scoring_curves", CURVE, CURVE.replace("0.6,", "0.60,")),
        ("measures", "Return rate,退货率", "Rate of returns,退货率"),
        ("measures", "return_rate,Return rate", f"{VISITS}\nreturn_rate,Return rate"),
        ("gate_thresholds", "2025-01-01,,board", "2025-01-01,2026-05-10,board"),
    ],
    ids=["from-the-end", "later", "same-number", "wording", "another-measure", "what-the-gate-tolerates"],
)  # fmt: skip
def test_what_begins_later_or_changes_nobodys_pay_is_fine(closed: Shop, seed: str, old: str, new: str) -> None:
    path = closed.company.seeds_dir / "policy" / f"{seed}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    check_governed_policy(closed.company)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (CURVE, CURVE.replace("0.8,0.6", "0.8,0.7"), 6),
        (CURVE, CURVE.replace("2025-01-01,,", "2025-01-01,2026-05-15,"), 6),
        (CURVE, changed_from("2026-05-15"), 6),
        (CURVE, CURVE + ",r\npayout_standard,linear,0.9,0.8,2026-05-31,,board", 7),
    ],
    ids=["in-place", "ended-inside", "begun-inside", "added"],
)
def test_a_row_that_governed_a_closed_period_stays(closed: Shop, old: str, new: str, line: int) -> None:
    edit(closed, "scoring_curves", old, new)
    with pytest.raises(PolicyError) as error:
        check_governed_policy(closed.company)
    first = str(error.value).splitlines()[0]
    assert first.startswith(f"seeds/policy/scoring_curves.csv line {line}: payout_standard/")
    assert "not as it was when month:2026-05-01 was closed: end the old row on or after 2026-06-01" in first


def test_a_row_that_is_gone_is_missed(closed: Shop) -> None:
    path = closed.company.seeds_dir / "policy" / "measure_targets.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]), encoding="utf-8")
    check_policy(closed.company)
    with pytest.raises(PolicyError, match="is gone, and month:2026-05-01 was closed under it"):
        check_governed_policy(closed.company)
