"""The same deliveries in any order, over any nights, in any number of copies leave the same warehouse."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.landing.contract_reader import read_contract
from orchestration.landing.deliveries import Delivery, place
from tests.landing.conftest import Shop, make_company

HEADERS = {
    "sales/returns": "return_id,order_id,line_no,returned_at,quantity,refund_amount,reason_code",
    "sales/products": "product_id,product_name,category,unit_cost",
}


@dataclasses.dataclass(frozen=True)
class Sent:
    """One delivery: what was written under which name, and when."""

    name: str
    content: str
    mtime: int


@st.composite
def deliveries(draw: st.DrawFn) -> list[Sent]:
    """Events and full lists with bad rows, copies, corrections under the same name, and names with and without dates."""
    sent: dict[tuple[str, int], Sent] = {}
    for number in range(draw(st.integers(2, 7))):
        extract = draw(st.sampled_from(sorted(HEADERS)))
        codes = draw(st.lists(st.sampled_from("ABCDEF"), max_size=6))
        version = draw(st.sampled_from(["1", "2", "-1", "x"]))
        if extract == "sales/returns":
            rows = [f"{code},O1,1,2026-10-01 10:00:00,1,{version},{number % 3}" for code in codes]
        else:
            rows = [f"{code},Name {number % 3},Category,{version if code == 'A' else 1}" for code in codes]
        content = "\n".join([HEADERS[extract], *rows]) + "\n"
        earlier = [s for s in sent.values() if s.name.startswith(extract)]
        if earlier and draw(st.booleans()):
            content = draw(st.sampled_from(earlier)).content
        stem = draw(st.sampled_from(["a", "b_2026-10-01", "b_2026-10-02", "c_20261002", "d_2026-10"]))
        name = f"{extract}/{stem}.csv"
        mtime = 1_790_000_000 + 60 * number
        sent[name, mtime] = Sent(name, content, mtime)
    return list(sent.values())


def contents(shop: Shop) -> dict[str, Any]:
    """All that models can read of what was landed."""
    return {
        "returns": shop.rows("select * from raw.sales__returns order by all"),
        "products": shop.rows("select * from raw.sales__products order by all"),
        "files": shop.rows(
            "select file_name, content_hash, status, reason, row_count, raw_row_count, rejected_row_count, delivered_at, "
            "delivery_key, is_dated from landing.files order by all"
        ),
        "rejected": shop.rows(
            "select file_id, file_name, line_no, column_name, reason_code, reason, raw_text from landing.rejected_rows "
            "order by all"
        ),
    }


def land_in_nights(nights: Sequence[Sequence[Sent]]) -> tuple[dict[str, Any], str]:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(make_company(Path(folder)))
        fingerprint = ""
        for night in nights:
            for sent in night:
                shop.deliver(sent.name, sent.content, sent.mtime)
            fingerprint = shop.land().content_fingerprint
        shop.reconcile()
        return contents(shop), fingerprint


def in_possible_order(shuffled: Sequence[Sent]) -> list[Sent]:
    """The same order, but a name that takes a content back does so in its own order: see DECISIONS.md."""
    contents_of: dict[str, list[str]] = {}
    for one in shuffled:
        contents_of.setdefault(one.name, []).append(one.content)
    taking_back = {name for name, found in contents_of.items() if len(set(found)) < len(found)}
    waiting = {
        name: iter(sorted((s for s in shuffled if s.name == name), key=lambda s: s.mtime)) for name in taking_back
    }
    return [next(waiting[one.name]) if one.name in waiting else one for one in shuffled]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=deliveries(), data=st.data())
def test_any_order_and_any_split_of_the_same_deliveries_leaves_the_same_warehouse(
    sent: list[Sent], data: st.DataObject
) -> None:
    # A name holds one content at a time: each delivery of it needs a night of its own, whatever the order.
    expected = land_in_nights([[one] for one in sent])
    shuffled = in_possible_order(data.draw(st.permutations(sent)))
    nights: list[list[Sent]] = [[]]
    for one in shuffled:
        taken = {s.name for s in nights[-1]}
        if one.name in taken or data.draw(st.booleans()):
            nights.append([])
        nights[-1].append(one)
    nights.append([data.draw(st.sampled_from(sent))] if data.draw(st.booleans()) else [])
    assert land_in_nights(nights) == expected


ROWS = {"x": 9, "y": 5, "z": 2, "empty": 0}
EXTRACTS = [read_contract().extracts["sales", name] for name in ("products", "returns")]


def _delivery(stem: str, content: str, second: int) -> Delivery:
    is_dated = "2026" in stem
    moment = dt.datetime(2026, 10, 1 if is_dated else second)
    return Delivery(f"sales/products/{stem}.csv", content, moment, is_dated, second, ROWS[content])


DELIVERIES = st.lists(
    st.builds(_delivery, st.sampled_from(["a", "b", "c_2026-10-01"]), st.sampled_from(sorted(ROWS)), st.integers(1, 9)),
    max_size=8,
    unique=True,
)


@settings(deadline=None)
@given(found=DELIVERIES, data=st.data())
def test_placements_are_a_function_of_the_set_of_deliveries(found: list[Delivery], data: st.DataObject) -> None:
    for extract in EXTRACTS:
        placements = place(found, extract)
        assert place(data.draw(st.permutations(found)), extract) == placements
        assert sorted(p.delivery_key for p in placements) == [p.delivery_key for p in placements]
        assert len({p.delivery_key for p in placements}) == len(found)
        # Nothing is lost: every content stands in raw unless the contract refuses it as a list.
        landed = {p.delivery.content_hash for p in placements if p.status == "landed"}
        refused = {p.delivery.content_hash for p in placements if p.status == "refused"}
        assert landed | refused == {d.content_hash for d in found}
