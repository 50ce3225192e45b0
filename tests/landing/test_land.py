"""The everyday promises: every row is in raw or in quarantine, and the ledger says what became of every file."""

from __future__ import annotations

import datetime as dt
import gzip
import os
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.landing import ContractError
from orchestration.landing.contract_reader import read_contract
from tests.landing.conftest import RETURNS_HEADER, Shop

GOOD = "R1,O1,1,2026-10-01 10:00:00,1,2.5,"


def test_tables_exist_before_the_first_file(shop: Shop) -> None:
    report = shop.land()
    assert report.files_seen == 0
    tables = {name for (name,) in shop.rows("select table_name from duckdb_tables() where schema_name = 'raw'")}
    assert tables == {extract.table for extract in read_contract().extracts.values()}
    assert shop.rows("select count(*) from landing.files") == [(0,)]
    assert shop.rows("select count(*) from landing.rejected_rows") == [(0,)]


def test_csv_lands_with_types_lines_and_delivery(shop: Shop) -> None:
    shop.returns("returns_2026-10-01.csv", GOOD, "R2,O1,2,2026-10-01T10:00:00Z,1.25,0,damaged")
    report = shop.land()
    assert (report.files_landed, report.rows_landed, report.problems) == (1, 2, ())
    assert shop.rows("select * exclude (_file_id, _delivery_key) from raw.sales__returns order by _line_no") == [
        (
            "R1",
            "O1",
            1,
            dt.datetime(2026, 10, 1, 2),
            Decimal("1"),
            Decimal("2.5"),
            None,
            2,
            dt.datetime(2026, 9, 30, 16),
        ),
        (
            "R2",
            "O1",
            2,
            dt.datetime(2026, 10, 1, 10),
            Decimal("1.25"),
            Decimal("0"),
            "damaged",
            3,
            dt.datetime(2026, 9, 30, 16),
        ),
    ]
    shop.reconcile()


def test_gzip_and_parquet_give_the_same_rows_as_csv(new_shop: Callable[[str], Shop]) -> None:
    text = f"{RETURNS_HEADER}\n{GOOD}\n"
    typed = pa.table(
        {
            "return_id": ["R1"],
            "order_id": pa.array(["O1"]).dictionary_encode(),
            "line_no": pa.array([1], pa.int64()),
            "returned_at": pa.array([dt.datetime(2026, 10, 1, 10)], pa.timestamp("ns")),
            "quantity": pa.array([1.0]),
            "refund_amount": pa.array([Decimal("2.50")]),
            "reason_code": [""],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(typed, sink)
    found = []
    for name, content in {
        "csv": text.encode(),
        "csv.gz": gzip.compress(text.encode()),
        "parquet": sink.getvalue().to_pybytes(),
    }.items():
        shop = new_shop(name)
        shop.deliver(f"sales/returns/returns_2026-10-01.{name}", content)
        shop.land()
        shop.reconcile()
        found.append(shop.rows("select * exclude (_file_id, _line_no, _delivery_key) from raw.sales__returns"))
    assert found[0] == found[1] == found[2] != []


def test_bad_rows_wait_in_quarantine_with_line_text_and_reason(shop: Shop) -> None:
    shop.returns(
        "returns_2026-10-01.csv",
        GOOD,
        "R2,O1,x,2026-10-01 10:00:00,1,2.5,",
        "R3,O1,1,2026-02-30 10:00:00,1,2.5,",
        "R4,O1,1,2026-10-01 10:00:00,1.00001,2.5,",
        "R5,O1,1,2026-10-01 10:00:00,1,-2.5,",
        ",O1,1,2026-10-01 10:00:00,1,2.5,",
        "R7,O1,1",
    )
    report = shop.land()
    assert (report.rows_landed, report.rows_quarantined) == (1, 6)
    assert shop.rows(
        "select line_no, column_name, reason_code, raw_text from landing.rejected_rows order by line_no"
    ) == [
        (3, "line_no", "not_a_number", "R2,O1,x,2026-10-01 10:00:00,1,2.5,"),
        (4, "returned_at", "not_a_timestamp", "R3,O1,1,2026-02-30 10:00:00,1,2.5,"),
        (5, "quantity", "too_many_decimals", "R4,O1,1,2026-10-01 10:00:00,1.00001,2.5,"),
        (6, "refund_amount", "below_minimum", "R5,O1,1,2026-10-01 10:00:00,1,-2.5,"),
        (7, "return_id", "missing_value", ",O1,1,2026-10-01 10:00:00,1,2.5,"),
        (8, None, "field_count", "R7,O1,1"),
    ]
    assert any("_sales__sources.yml:" in p and "refund_amount" in p for p in report.problems)
    shop.reconcile()


def test_a_second_night_changes_nothing(shop: Shop) -> None:
    shop.returns("returns_2026-10-01.csv", GOOD)
    first = shop.land()
    before = shop.company.warehouse_path.stat().st_mtime_ns
    second = shop.land()
    assert (second.files_landed, second.files_duplicate, second.rows_landed) == (0, 0, 0)
    assert second.content_fingerprint == first.content_fingerprint
    assert shop.company.warehouse_path.stat().st_mtime_ns == before


def test_a_renamed_copy_is_recognised(shop: Shop) -> None:
    shop.returns("returns_2026-10-01.csv", GOOD)
    first = shop.land()
    shop.returns("returns_2026-10-02.csv", GOOD)
    second = shop.land()
    assert (second.files_landed, second.files_duplicate) == (0, 1)
    assert second.content_fingerprint == first.content_fingerprint
    assert shop.rows("select file_name, reason from landing.files where status = 'duplicate'") == [
        ("sales/returns/returns_2026-10-02.csv", "same content as sales/returns/returns_2026-10-01.csv")
    ]
    shop.reconcile()


def test_a_touched_file_is_no_delivery(shop: Shop) -> None:
    path = shop.returns("returns_2026-10-01.csv", GOOD)
    shop.land()
    os.utime(path, (2_000_000_000, 2_000_000_000))
    report = shop.land()
    assert (report.files_landed, report.files_duplicate) == (0, 0)
    assert shop.rows("select count(*) from landing.files") == [(1,)]


def test_a_file_put_back_with_the_time_it_first_had_is_no_delivery_either(shop: Shop) -> None:
    other = GOOD.replace("2.5", "3.5")
    for row, seconds in ((GOOD, 60), (GOOD, 180), (other, 240), (GOOD, 60)):
        shop.returns("returns_2026-10-01.csv", row, mtime=1_790_000_000 + seconds)
        shop.land()
    assert shop.rows("select status from landing.files") == [("landed",), ("landed",)]
    shop.reconcile()


def test_a_touched_file_says_what_the_same_night_decided_of_it(shop: Shop) -> None:
    shop.returns("a.csv", GOOD, mtime=1_790_000_000)
    shop.land()
    shop.returns("a.csv", GOOD, mtime=1_790_000_100)
    shop.returns("returns_2026-09-01.csv", GOOD, mtime=1_790_000_200)
    shop.land()
    assert shop.rows("select file_name, status, raw_row_count from landing.files order by file_name") == [
        ("sales/returns/a.csv", "duplicate", 0),
        ("sales/returns/returns_2026-09-01.csv", "landed", 1),
    ]
    shop.reconcile()


def test_a_changed_file_under_the_same_name_is_a_correction(shop: Shop) -> None:
    shop.returns("returns_2026-10-01.csv", GOOD, mtime=1_790_000_000)
    shop.land()
    shop.returns("returns_2026-10-01.csv", GOOD.replace("2.5", "3.5"), mtime=1_790_000_100)
    assert shop.land().files_landed == 1
    assert shop.rows(
        "select refund_amount from raw.sales__returns qualify row_number() over (order by _delivery_key desc, _line_no desc) = 1"
    ) == [(Decimal("3.5"),)]
    assert shop.rows("select count(*) from raw.sales__returns") == [(2,)]
    shop.reconcile()


def test_headers_in_chinese_reordered_and_extra(shop: Shop) -> None:
    shop.deliver(
        "sales/returns/a_20261001.csv",
        "备注,退款金额,数量,退货时间,行号,订单号,退货编号\n谢谢,2.5,1,2026/10/1 10:00,1,O1,R1\n",
    )
    report = shop.land()
    assert shop.rows("select return_id, refund_amount, reason_code from raw.sales__returns") == [
        ("R1", Decimal("2.5"), None)
    ]
    assert shop.rows("select extra_columns from landing.files") == [(["备注"],)]
    assert any("备注" in problem for problem in report.problems)


def test_a_missing_required_column_refuses_the_file_and_the_others_go_on(shop: Shop) -> None:
    shop.deliver("sales/returns/bad.csv", "return_id,order_id\nR1,O1\n")
    shop.returns("returns_2026-10-01.csv", GOOD)
    report = shop.land()
    assert (report.files_landed, report.files_refused) == (1, 1)
    (problem,) = report.problems
    assert "sales/returns/bad.csv" in problem and "refund_amount" in problem and "_sales__sources.yml:" in problem
    assert shop.land().files_refused == 1


def test_company_headers_are_accepted(shop: Shop) -> None:
    shop.company.headers_path.write_text("sales/returns: {return_id: [RetNo, 'Ret. Nr.'], order_id: OrdNo}\n")
    shop.deliver(
        "sales/returns/a.csv",
        f"{RETURNS_HEADER.replace('return_id', 'ret. nr.').replace('order_id', 'OrdNo')}\n{GOOD}\n",
    )
    assert shop.land().rows_landed == 1


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("sales/returns:\n  return_idd: [X]\n", 2, "return_idd"),
        ("sales/return: {return_id: [X]}\n", 1, "sales/return"),
        ("sales/returns:\n  return_id: [order_id]\n", None, "also names"),
        ("sales/returns:\n  return_id: [\n", 3, "not valid YAML"),
        ("sales/returns: [a]\n", 1, "name: value"),
        ("sales/returns:\n  return_id: [3]\n", 2, "must be text"),
    ],
)
def test_wrong_company_headers_name_file_and_line(shop: Shop, text: str, line: int | None, part: str) -> None:
    shop.company.headers_path.write_text(text)
    with pytest.raises(ContractError) as error:
        shop.land()
    assert part in str(error.value)
    if line is not None:
        assert f"headers.yml:{line}" in str(error.value)
