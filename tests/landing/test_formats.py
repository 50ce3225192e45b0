"""Formats, encodings and notations: the right text or a refusal with its reason, never mojibake and never silence."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.landing.conftest import RETURNS_HEADER, Shop

ROW = "R1,O1,1,2026-10-01 10:00:00,1,2.5,"
CELLS: list[Any] = ["R1", "O1", 1, dt.datetime(2026, 10, 1, 10), 1, 2.5, None]


def reason_rows(shop: Shop) -> list[Any]:
    return [value for (value,) in shop.rows("select reason_code from raw.sales__returns order by _line_no")]


def refusal(shop: Shop, status: str = "refused") -> str:
    """The only file's reason; nothing of it is anywhere."""
    assert shop.rows("select count(*) from raw.sales__returns") == [(0,)]
    assert shop.rows("select count(*) from landing.rejected_rows") == [(0,)]
    ((found, reason),) = shop.rows("select status, reason from landing.files")
    assert found == status
    return str(reason)


def sheet(*rows: list[Any], title: str = "Sheet", further: str | None = None, start: int = 1) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for number, row in enumerate(rows, start=start):
        for place, cell in enumerate(row, start=1):
            page.cell(number, place, cell)
    if further is not None:
        book.create_sheet(further).append(["something", "else"])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("gb18030", b""), ("gbk", b""),
     ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)  # fmt: skip
def test_text_is_right_in_every_encoding(shop: Shop, encoding: str, mark: bytes) -> None:
    text = f"{RETURNS_HEADER}\n{ROW}破损，“漏液”\nR2,O1,2,2026-10-01 10:00:00,1,2.5,颜色不对\n"
    shop.deliver("sales/returns/a_20261001.csv", mark + text.encode(encoding))
    assert shop.land().rows_landed == 2
    assert reason_rows(shop) == ["破损，“漏液”", "颜色不对"]
    shop.reconcile()


def test_characters_of_four_bytes_survive_in_gb18030_and_utf8(new_shop: Callable[[str], Shop]) -> None:
    for encoding in ("gb18030", "utf-8", "utf-16"):
        shop = new_shop(encoding)
        shop.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\n{ROW}𠮷野家😀䶮\n".encode(encoding))
        shop.land()
        assert reason_rows(shop) == ["𠮷野家😀䶮"]


def test_latin_1_is_recognised_where_it_is_declared_and_never_instead_of_chinese(
    new_shop: Callable[[str], Shop],
) -> None:
    western = f"{RETURNS_HEADER}\n{ROW}Größe, passt nicht\n".replace("Größe, passt", "Größe passt")
    chinese = f"{RETURNS_HEADER}\n{ROW}颜色不对\n"
    for name, content, expected in (
        ("western", western.encode("latin-1"), "Größe passt nicht"),
        ("chinese", chinese.encode("gbk"), "颜色不对"),
    ):
        shop = new_shop(name)
        shop.company.deliveries_path.write_text("sales/returns: {format: {encodings: [utf-8, gb18030, latin-1]}}\n")
        shop.deliver("sales/returns/a_20261001.csv", content)
        shop.land()
        assert reason_rows(shop) == [expected]
    broken = new_shop("broken")
    broken.company.deliveries_path.write_text("sales/returns: {format: {encodings: [utf-8, gb18030, latin-1]}}\n")
    broken.deliver("sales/returns/a_20261001.csv", chinese.encode("gbk")[:-1] + b"\xff\n")
    broken.land()
    assert "unlikely" in refusal(broken)


FOREIGN = [
    ("euc_kr", "제품이 파손되어 도착했습니다. 직원이 매우 친절했습니다"),
    ("cp949", "색상이 사진과 다르고 크기도 맞지 않습니다"),
    ("euc_jp", "商品が壊れていたので返品しました"),
    ("euc_jp", "東京都 大阪府 名古屋市 札幌市 福岡市"),
    ("shift_jis", "商品が壊れていたので返品しました"),
    ("iso8859_7", "Το προϊόν ήταν χαλασμένο και επέστρεψα"),
    ("iso8859_5", "неправильный цвет и размер"),
    ("koi8_r", "неправильный цвет и размер"),
    ("cp1251", "неправильный цвет и размер"),
    ("cp1250", "příliš žluťoučký kůň"),
    ("cp1256", "المنتج تالف وصل متأخرا"),
    ("big5", "商品損壞 顏色不對 退貨"),
    ("latin_1", "Größe passt nicht"),
]


@pytest.mark.parametrize(("encoding", "text"), FOREIGN)
def test_text_in_an_encoding_that_nobody_declared_is_refused_and_right_once_it_is_declared(
    shop: Shop, encoding: str, text: str
) -> None:
    shop.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\n{ROW}{text}\n".encode(encoding))
    shop.land()
    assert "in none of the contract's encodings" in refusal(shop)
    shop.company.deliveries_path.write_text(f"sales/returns: {{format: {{encodings: [{encoding}]}}}}\n")
    assert shop.land().rows_landed == 1
    assert reason_rows(shop) == [text]
    shop.reconcile()


@pytest.mark.parametrize(
    "texts",
    [
        ["颜色不对，尺码不合", "店员态度很好", "配送太慢，下次不会再来"],
        ["北京朝阳店", "上海徐汇店", "广州天河店", "深圳南山店"],
        ["张伟", "王芳", "李娜"],
        ["好"],
        ["纯棉短袖T恤", "蓝牙耳机", "保温杯"],
    ],
)
def test_chinese_text_is_taken_for_what_it_is(shop: Shop, texts: list[str]) -> None:
    rows = "".join(f"R{number},O1,1,2026-10-01 10:00:00,1,2.5,{text}\n" for number, text in enumerate(texts))
    shop.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\n{rows}".encode("gb18030"))
    shop.land()
    assert reason_rows(shop) == texts


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (f"{RETURNS_HEADER}\n{ROW}Größe\n".encode("latin-1"), ["utf-8 fails at byte 110", "gb18030"]),
        (f"{RETURNS_HEADER}\n{ROW}ok\n".encode() + b"\xff\xff\n", ["utf-8 fails at byte 111", "gb18030 fails at byte 111"]),
        (f"{RETURNS_HEADER}\n{ROW}a\0b\n".encode(), ["NUL", "line 2"]),
        (f"{RETURNS_HEADER}\n{ROW}ok\n".encode("utf-16-le"), ["NUL", "byte order"]),
        (f"{RETURNS_HEADER}\n{ROW}ok\n".encode("utf-16")[:-1], ["utf-16 fails at byte"]),
        (f"{RETURNS_HEADER}\n{ROW}\"never closed\n{ROW}\n".encode(), ["line 2", "never closed"]),
        (f"{RETURNS_HEADER}\n{ROW}a\"b\"c\"\n\"x\n".encode(), ["line"]),
        (b"return_id,RETURN_ID,order_id\n1,2,3\n", ["both mean return_id"]),
        (b"\n\n\n", ["blank"]),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_whole_with_its_reason(
    shop: Shop, content: bytes, parts: list[str]
) -> None:
    shop.deliver("sales/returns/a_20261001.csv", content)
    shop.land()
    reason = refusal(shop)
    for part in parts:
        assert part in reason
    # It is missed on the day that its name says: in Shanghai that begins at 16:00 of the day before.
    assert shop.rows("select delivered_at, is_dated from landing.files") == [(dt.datetime(2026, 9, 30, 16), True)]


@pytest.mark.parametrize("cut", (1, 2, 9, 20, 33, 46, 47, 48, 51, 54))
def test_a_file_cut_anywhere_lands_no_row(shop: Shop, cut: int) -> None:
    text = f'{RETURNS_HEADER}\n{ROW}"one\ntwo"\nR2,O1,2,2026-10-01 10:00:00,1,2.5,ok\n'.encode()
    shop.deliver("sales/returns/a_20261001.csv", text[:-cut])
    report = shop.land()
    if text[:-cut].endswith(b"\n") and text[:-cut].count(b'"') % 2 == 0:
        # Cut between two records: nothing tells that more was to come, and what is there is accounted for.
        assert report.rows_landed == text[:-cut].count(b"R")
    else:
        ((status,),) = shop.rows("select status from landing.files")
        assert status in ("waiting", "refused")
        assert report.rows_landed == report.rows_quarantined == 0
    shop.reconcile()
    shop.deliver("sales/returns/a_20261001.csv", text, mtime=1_800_000_000)
    shop.land()
    assert shop.rows("select count(distinct return_id) from raw.sales__returns") == [(2,)]
    shop.reconcile()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_cut_at_any_byte_lands_its_first_records_whole_or_nothing(shop: Shop, end: str) -> None:
    rows = [
        ("R1", "O1", 1, dt.datetime(2026, 10, 1, 2), Decimal(1), Decimal("2.5"), f"one{end}two"),
        ("R2", "O1", 2, dt.datetime(2026, 10, 1, 2), Decimal(12), Decimal("22.5"), "颜色不对"),
        ("R3", "O1", 3, dt.datetime(2026, 10, 1, 2), Decimal(1), Decimal("2.5"), None),
    ]
    records = [
        RETURNS_HEADER,
        f'R1,O1,1,2026-10-01 10:00:00,1,2.5,"one{end}two"',
        "R2,O1,2,2026-10-01 10:00:00,12,22.5,颜色不对",
        "R3,O1,3,2026-10-01 10:00:00,1,2.5,",
    ]
    text = "".join(record + end for record in records).encode()
    for cut in range(len(text) + 1):
        shop.deliver(f"sales/returns/{cut:04}_20261001.csv", text[:cut])
    shop.land()
    files = shop.rows("select file_name, status, reason, rejected_row_count from landing.files order by 1")
    assert len(files) == len(text) + 1
    seen = set()
    for cut, (name, status, reason, rejected) in enumerate(files):
        landed = shop.rows(
            "select return_id, order_id, line_no, returned_at, quantity, refund_amount, reason_code from raw.sales__returns "
            "where _file_id = (select file_id from landing.files where file_name = ?) order by _line_no",
            name,
        )
        if status == "landed":
            assert (landed, rejected) == (rows[: len(landed)], 0), cut
            # Between two records nothing tells that more was to come; at every other byte something does.
            assert text[:cut].decode().rstrip("\r\n") == end.join(records[: len(landed) + 1]), cut
            seen.add(len(landed))
        else:
            assert (status, landed) in (("waiting", []), ("refused", [])), cut
            assert reason
    assert seen == {0, 1, 2, 3}
    shop.reconcile()


@pytest.mark.parametrize("name", ["csv.gz", "parquet", "xlsx", "jsonl"])
def test_a_truncated_packed_file_waits_until_it_is_whole(shop: Shop, name: str) -> None:
    table = pa.table({key: [str(value)] for key, value in zip(RETURNS_HEADER.split(","), CELLS, strict=True)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    whole = {
        "csv.gz": gzip.compress(f"{RETURNS_HEADER}\n{ROW}\n".encode()),
        "parquet": sink.getvalue().to_pybytes(),
        "xlsx": sheet(RETURNS_HEADER.split(","), CELLS),
        "jsonl": (json.dumps(dict(zip(RETURNS_HEADER.split(","), map(str, CELLS), strict=True))) + "\n").encode(),
    }[name]
    for size in (0, 2, 7, len(whole) // 3, len(whole) - 10, len(whole) - 5):
        shop.deliver(f"sales/returns/a_20261001.{name}", whole[:size], mtime=1_790_000_000 + size)
        report = shop.land()
        assert (report.files_waiting, report.files_refused, report.rows_landed) == (1, 0, 0), size
    shop.deliver(f"sales/returns/a_20261001.{name}", whole)
    report = shop.land()
    assert (report.files_waiting, report.files_landed) == (0, 1)
    assert shop.rows("select status from landing.files") == [("landed",)]
    shop.reconcile()


@pytest.mark.parametrize("suffix", [".tmp", ".part", ".csv.PART", ".crdownload", "~"])
def test_a_file_whose_name_says_unfinished_waits(shop: Shop, suffix: str) -> None:
    shop.deliver(f"sales/returns/a_20261001.csv{suffix}", f"{RETURNS_HEADER}\n{ROW}\n")
    assert shop.land().files_waiting == 1
    path = shop.company.extracts_dir / f"sales/returns/a_20261001.csv{suffix}"
    path.rename(path.with_name("a_20261001.csv"))
    report = shop.land()
    assert (report.files_waiting, report.rows_landed) == (0, 1)


def test_a_file_that_somebody_still_writes_waits(shop: Shop) -> None:
    path = shop.returns("a_20261001.csv", ROW)
    with path.open("a") as writer:
        assert shop.land().files_waiting == 1
        writer.write("R2,O1,2,2026-10-01 10:00:00,1,2.5,\n")
    assert shop.land().rows_landed == 2


@pytest.mark.parametrize(
    ("delimiter", "name"), [(";", "csv"), ("\t", "csv"), ("\t", "tsv"), ("|", "csv"), (",", "csv")]
)
def test_delimiters_quotes_and_line_breaks(shop: Shop, delimiter: str, name: str) -> None:
    quoted = ['"a ""b"" c"', '"two\nlines"', '"two\r\nlines"', f'"in{delimiter}side"', '""', ""]
    lines = [RETURNS_HEADER.replace(",", delimiter)] + [
        delimiter.join([f"R{n}", "O1", "1", "2026-10-01 10:00:00", "1", "2.5", text]) for n, text in enumerate(quoted)
    ]
    shop.deliver(f"sales/returns/a_20261001.{name}", "\r\n".join(lines) + "\r\n")
    shop.land()
    assert reason_rows(shop) == ['a "b" c', "two\nlines", "two\r\nlines", f"in{delimiter}side", None, None]
    assert shop.rows("select _line_no from raw.sales__returns order by 1") == [(2,), (3,), (5,), (7,), (8,), (9,)]
    shop.reconcile()


def test_decimal_comma_thousands_and_dates_where_the_company_says_so(shop: Shop) -> None:
    shop.company.deliveries_path.write_text(
        "sales/returns:\n  format: {decimal: ',', thousands: '.', date_formats: ['%d.%m.%Y %H:%M']}\n"
    )
    shop.deliver(
        "sales/returns/a_20261001.csv",
        f"{RETURNS_HEADER.replace(',', ';')}\nR1;O1;1;22.11.2026 14:03;1,5;1.234,50;\nR2;O1;2;22.11.2026 14:03;1;12.34,5;\n",
    )
    report = shop.land()
    assert shop.rows("select quantity, refund_amount, returned_at from raw.sales__returns") == [
        (Decimal("1.5"), Decimal("1234.5"), dt.datetime(2026, 11, 22, 6, 3))
    ]
    assert report.rows_quarantined == 1
    shop.reconcile()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026/11/22 14:03", dt.datetime(2026, 11, 22, 6, 3)),
        ("2026/1/2 4:03", dt.datetime(2026, 1, 1, 20, 3)),
        ("2026年11月22日 14:03:05", dt.datetime(2026, 11, 22, 6, 3, 5)),
        ("２０２６－１１－２２　１４：０３", dt.datetime(2026, 11, 22, 6, 3)),
        ("20261122140305", dt.datetime(2026, 11, 22, 6, 3, 5)),
        ("2026-11-22T14:03:05.250Z", dt.datetime(2026, 11, 22, 14, 3, 5, 250_000)),
    ],
)
def test_times_in_the_notations_people_use(shop: Shop, text: str, expected: dt.datetime) -> None:
    shop.returns("a_20261001.csv", f"R1,O1,１,{text},１２,２.５,")
    assert shop.land().rows_quarantined == 0
    assert shop.rows("select returned_at, line_no, quantity, refund_amount from raw.sales__returns") == [
        (expected, 1, Decimal(12), Decimal("2.5"))
    ]


def test_excel_dates_blank_rows_and_a_table_below_a_title_row(shop: Shop) -> None:
    serial = ["R2", "O1", "2", 46_327.5, 1.1, 0.1 + 0.2, "=1+1"]
    shop.deliver(
        "sales/returns/a_20261001.xlsx",
        sheet(RETURNS_HEADER.split(","), CELLS, [], serial, [None, "O1", 3, "2026-10-01", 1, 1, None], start=3),
    )
    report = shop.land()
    assert (report.rows_landed, report.rows_quarantined) == (2, 1)
    assert shop.rows(
        "select return_id, line_no, returned_at, quantity, refund_amount, _line_no from raw.sales__returns order by 1"
    ) == [
        ("R1", 1, dt.datetime(2026, 10, 1, 2), Decimal(1), Decimal("2.5"), 4),
        ("R2", 2, dt.datetime(2026, 11, 1, 4), Decimal("1.1"), Decimal("0.3"), 6),
    ]
    assert shop.rows("select line_no, reason_code from landing.rejected_rows") == [(7, "missing_value")]
    shop.reconcile()


def test_the_contract_chooses_the_sheet(shop: Shop) -> None:
    content = sheet(RETURNS_HEADER.split(","), CELLS, title="退货", further="notes")
    shop.deliver("sales/returns/a_20261001.xlsx", content)
    shop.land()
    assert "several sheets (退货, notes)" in refusal(shop)
    shop.company.deliveries_path.write_text("sales/returns: {format: {sheet: 退货}}\n")
    assert shop.land().rows_landed == 1
    shop.reconcile()


def test_a_long_number_in_excel_is_a_damaged_identifier(shop: Shop) -> None:
    cells = [6217_0000_1234_5678_901.0, *CELLS[1:]]
    shop.deliver("sales/returns/a_20261001.xlsx", sheet(RETURNS_HEADER.split(","), cells))
    assert shop.land().rows_quarantined == 1
    assert shop.rows("select column_name, reason_code from landing.rejected_rows") == [("return_id", "damaged_number")]
    shop.reconcile()


def test_jsonl_keeps_digits_and_sets_aside_what_is_no_flat_object(shop: Shop) -> None:
    good = (
        '{"return_id":"R1","order_id":"O1","line_no":1,"returned_at":"2026-10-01 10:00:00",'
        '"quantity":1.10,"refund_amount":0.1}'
    )
    shop.deliver(
        "sales/returns/a_20261001.jsonl",
        "\n".join([good, "[1]", "{", good.replace('"R1"', '["R1"]'), "", good.replace('"R1"', '"R2"')]) + "\n",
    )
    report = shop.land()
    assert (report.rows_landed, report.rows_quarantined) == (2, 3)
    assert shop.rows("select refund_amount from raw.sales__returns limit 1") == [(Decimal("0.1"),)]
    assert shop.rows("select line_no from landing.rejected_rows order by 1") == [(2,), (3,), (4,)]
    shop.reconcile()


def test_an_empty_file_waits_and_a_header_alone_is_an_extract_without_rows(shop: Shop) -> None:
    shop.deliver("sales/returns/a_20261001.csv", "")
    shop.deliver("sales/returns/b_20261001.csv", RETURNS_HEADER + "\n")
    report = shop.land()
    assert (report.files_waiting, report.files_landed, report.rows_landed) == (1, 1, 0)
    shop.reconcile()
