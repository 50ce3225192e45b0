"""Hostile names and contents: inert, refused with a reason, and never more than the contract's limits."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.landing.contract_reader import read_contract
from orchestration.landing.errors import ContractError
from orchestration.spreadsheet import inert, one_line
from tests.landing.conftest import RETURNS_HEADER, Shop, make_company
from tests.landing.test_formats import CELLS, ROW, refusal, sheet

NASTY = ["'; drop table raw.sales__returns; --", '"; select 1', "{{ 1 }}", "{% raw %}", "$(id)", "..", "a\nb",
         "=cmd|' /C calc'!A0",
         "%s", "\\", "‮", "NUL", "*", "read_csv('/etc/passwd')", "[red]x[/]", "a;b", "-rf", "~", "`id`"]  # fmt: skip
# Where a hostile text goes.
TEXT = "(text)"
NAMES = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=40),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(file_name=NAMES, header=NAMES, value=NAMES, title=NAMES)
@example(file_name=NASTY[0], header=NASTY[0], value=NASTY[0], title=NASTY[0])
@example(file_name=NASTY[7], header=NASTY[1], value=NASTY[7], title=NASTY[2])
def test_names_never_become_sql_or_paths(file_name: str, header: str, value: str, title: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(make_company(Path(folder)))
        shop.land()
        tables = shop.rows("select schema_name, table_name, column_count from duckdb_tables() order by all")
        name = f"{file_name[:60]}_20261001.csv"
        cell = '"' + value.replace('"', '""') + '"'
        extra = '"' + header.replace('"', '""') + '"'
        text = f"{RETURNS_HEADER},{extra}\n{ROW}{cell}\n".replace(f"{ROW}{cell}", f"{ROW}x,{cell}")
        shop.deliver(f"sales/returns/{name}", text.encode("utf-8", "surrogatepass"))
        safe_title = "".join(c for c in title if c.isprintable() and c not in "[]:*?/\\'")[:31] or "S"
        shop.deliver("sales/returns/b_20261002.xlsx", sheet([*RETURNS_HEADER.split(",")], CELLS, title=safe_title))
        before = {p for p in Path(folder).rglob("*") if "warehouse" not in p.parts}
        shop.land()
        shop.reconcile()
        assert {p for p in Path(folder).rglob("*") if "warehouse" not in p.parts} == before
        assert shop.rows("select schema_name, table_name, column_count from duckdb_tables() order by all") == tables
        ((status, extra_columns),) = shop.rows(
            "select status, extra_columns from landing.files where file_name = ?", f"sales/returns/{name}"
        )
        if status == "landed" and extra_columns:
            assert extra_columns == [header.strip()]


@pytest.mark.parametrize("text", [*NASTY, "a\x07\x1b[31mb", "x" * 300_000, "../../etc/passwd"])
def test_a_companys_names_for_its_files_never_become_sql_or_paths(shop: Shop, text: str) -> None:
    shop.land()
    tables = shop.rows("select schema_name, table_name, column_count from duckdb_tables() order by all")
    own = {"sales/returns": {"return_id": [text]}}
    shop.company.headers_path.write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    files = {"accepted_small_files": [text], "format": {"date_formats": [text], "sheet": text}}
    shop.company.deliveries_path.write_text(yaml.safe_dump({"sales/returns": files}), encoding="utf-8")
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow([text, *RETURNS_HEADER.split(",")[1:]])
    shop.deliver("sales/returns/a_20261001.csv", header.getvalue() + f"{ROW}x\n")
    shop.deliver("sales/returns/b_20261002.xlsx", sheet([*RETURNS_HEADER.split(",")], CELLS))
    before = {path for path in shop.company.folder.rglob("*") if "warehouse" not in path.parts}
    shop.land()
    shop.reconcile()
    assert {path for path in shop.company.folder.rglob("*") if "warehouse" not in path.parts} == before
    assert shop.rows("select schema_name, table_name, column_count from duckdb_tables() order by all") == tables
    assert shop.rows("select status from landing.files where file_name like '%.csv'") == [("landed",)]
    assert shop.rows("select return_id from raw.sales__returns") == [(ROW.split(",")[0],)]


@pytest.mark.parametrize("text", [*NASTY, "a\x07\x1b[31mb", "../../etc/passwd"])
@pytest.mark.parametrize(
    ("file_name", "fields"),
    [
        ("headers.yml", {TEXT: {"return_id": ["x"]}}),
        ("headers.yml", {"sales/returns": {TEXT: ["x"]}}),
        ("headers.yml", {"sales/returns": {"return_id": [[TEXT]]}}),
        ("deliveries.yml", {TEXT: {"delivery_order": "arrival"}}),
        ("deliveries.yml", {"sales/returns": {TEXT: "arrival"}}),
        ("deliveries.yml", {"sales/returns": {"delivery_order": TEXT}}),
        ("deliveries.yml", {"sales/returns": {"minimum_share_of_last": TEXT}}),
        ("deliveries.yml", {"sales/returns": {"limits": {"file_bytes": TEXT}}}),
        ("deliveries.yml", {"sales/returns": {"format": {"encodings": [TEXT]}}}),
        ("deliveries.yml", {"sales/returns": {"format": {"delimiter": TEXT * 2}}}),
        ("deliveries.yml", {"sales/returns": {"format": {"delimiter": [TEXT]}}}),
        ("deliveries.yml", {"sales/returns": {"format": {"sheet": [TEXT]}}}),
    ],
)
def test_hostile_settings_of_deliveries_are_refused_by_file_and_line(
    tmp_path: Path, file_name: str, fields: dict[str, object], text: str
) -> None:
    path = tmp_path / file_name
    path.write_text(yaml.safe_dump(with_text(fields, text)), encoding="utf-8")
    with pytest.raises(ContractError, match=rf"{file_name}:\d+: "):
        read_contract(tmp_path / "headers.yml", deliveries_path=tmp_path / "deliveries.yml")


def with_text(fields: Any, text: str) -> Any:
    if isinstance(fields, dict):
        return {with_text(key, text): with_text(value, text) for key, value in fields.items()}
    if isinstance(fields, list):
        return [with_text(value, text) for value in fields]
    return fields.replace(TEXT, text)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_cell_that_begins_a_formula_stays_text(value: str) -> None:
    assert inert(value) == "'" + value


@given(st.text())
def test_inert_text_begins_no_formula_and_loses_nothing(text: str) -> None:
    made = inert(text)
    assert isinstance(made, str) and not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made.removeprefix("'") == text or made == text
    assert one_line(text).isprintable()


def test_numbers_stay_numbers_in_exports() -> None:
    assert inert(-1) == -1 and inert(None) is None


def test_links_that_leave_the_folder_and_things_that_are_no_files_are_set_aside(shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(f"{RETURNS_HEADER}\n{ROW}\n")
    folder = shop.company.extracts_dir / "sales/returns"
    folder.mkdir(parents=True)
    (folder / "out.csv").symlink_to(secret)
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "folder.csv").symlink_to(folder)
    os.mkfifo(folder / "pipe.csv")
    os.mkdir(folder / "deep.csv")
    shop.deliver("sales/nonsense/a.csv", "x\n")
    shop.deliver("sales/returns/note.docx", "x\n")
    shop.returns("good_20261001.csv", ROW)
    report = shop.land()
    assert (report.files_landed, report.files_refused, report.rows_landed) == (1, 6, 1)
    assert all("refused" in problem for problem in report.problems)


def test_a_gzip_bomb_is_refused_by_the_contracts_limit(shop: Shop) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {limits: {file_bytes: 1000000}}\n")
    shop.deliver(
        "sales/returns/a_20261001.csv.gz", gzip.compress(f"{RETURNS_HEADER}\n".encode() + f"{ROW}\n".encode() * 100_000)
    )
    shop.land()
    assert "file_bytes" in refusal(shop)


def test_a_gzip_file_that_expands_out_of_proportion_is_refused(shop: Shop) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {limits: {record_bytes: 2000000000}}\n")
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1) as stream:
        stream.write(f"{RETURNS_HEADER}\n".encode())
        for _ in range(80):
            stream.write(b"\n" * (1 << 20))
    shop.deliver("sales/returns/a_20261001.csv.gz", sink.getvalue())
    shop.land()
    assert "expansion" in refusal(shop)


def test_an_endless_line_is_refused_before_it_fills_the_memory(shop: Shop) -> None:
    path = shop.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\n{ROW}")
    with path.open("r+b") as stream:
        stream.seek(0, io.SEEK_END)
        stream.truncate(10 << 30)
    with path.open("r+b") as stream:
        stream.seek(200)
        stream.write(b"x" * (9 << 20))
    shop.land()
    reason = refusal(shop)
    assert "record_bytes" in reason or "NUL" in reason


def test_a_field_of_ten_megabytes_is_refused(shop: Shop) -> None:
    shop.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\n{ROW}{'x' * 10_000_000}\n")
    shop.deliver("sales/returns/b_20261001.csv", f'{RETURNS_HEADER}\n{ROW}"{("x" * 999 + chr(10)) * 10_000}"\n')
    report = shop.land()
    assert report.files_refused == 2
    assert all("record_bytes" in problem for problem in report.problems)


SHEET = "xl/worksheets/sheet1.xml"
LONG_CELL = b't="inlineStr"><is><t>LONG</t></is>'


def repacked(content: bytes, old: bytes, new: bytes, **parts: bytes) -> bytes:
    """A workbook with text of its sheet replaced, and further parts."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            part = source.read(member)
            assert member.filename != SHEET or old in part
            target.writestr(member.filename, part.replace(old, new) if member.filename == SHEET else part)
        for name, part in parts.items():
            target.writestr(f"xl/{name}.xml", part)
    return sink.getvalue()


def with_shared_text(text: str, rows: int) -> bytes:
    """A workbook that holds a text once, which the last cell of every row names."""
    content = sheet(RETURNS_HEADER.split(","), *[[f"R{n}", *CELLS[1:6], "LONG"] for n in range(1, rows + 1)])
    texts = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{text}</t></si></sst>'
    return repacked(content, LONG_CELL, b't="s"><v>0</v>', sharedStrings=texts.encode())


def test_a_sheet_of_two_cells_far_apart_is_refused(shop: Shop) -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    content = repacked(sheet(RETURNS_HEADER.split(","), CELLS), b"</sheetData>", far)
    shop.deliver("sales/returns/a_20261001.xlsx", content)
    shop.land()
    assert "sheet_cells" in refusal(shop)


def test_a_workbook_with_a_part_that_expands_out_of_proportion_is_refused(shop: Shop) -> None:
    content = repacked(sheet(RETURNS_HEADER.split(","), CELLS), b"", b"", picture=bytes(80 << 20))
    assert len(content) < 200_000
    shop.deliver("sales/returns/a_20261001.xlsx", content)
    shop.land()
    assert "expansion" in refusal(shop)


def test_a_workbook_whose_cells_all_name_one_long_text_is_refused(shop: Shop) -> None:
    content = with_shared_text("x" * 32_000, 2_200)
    assert len(content) < 200_000
    shop.deliver("sales/returns/a_20261001.xlsx", content)
    shop.land()
    assert "expansion" in refusal(shop)


@pytest.mark.parametrize("store_schema", [True, False])
def test_a_parquet_file_whose_rows_all_name_one_long_text_is_refused(shop: Shop, store_schema: bool) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {limits: {file_bytes: 50000000}}\n")
    columns = {name: [str(value)] * 1_000 for name, value in zip(RETURNS_HEADER.split(","), CELLS, strict=True)}
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int32()), pa.array(["x" * 100_000]))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns | {"reason_code": text}), sink, store_schema=store_schema)
    assert sink.getvalue().size < 20_000
    shop.deliver("sales/returns/a_20261001.parquet", sink.getvalue().to_pybytes())
    shop.land()
    assert "expansion" in refusal(shop)


def test_a_parquet_file_of_repeated_values_is_refused_by_its_rows(shop: Shop) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {limits: {file_bytes: 1000000}}\n")
    columns = {name: [str(value)] * 200_000 for name, value in zip(RETURNS_HEADER.split(","), CELLS, strict=True)}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    assert sink.getvalue().size < 20_000
    shop.deliver("sales/returns/a_20261001.parquet", sink.getvalue().to_pybytes())
    shop.land()
    assert "expansion" in refusal(shop)


LONG = "x" * 10_000_000


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "parquet of one value", "xlsx", "xlsx of shared texts"])
def test_a_field_of_ten_megabytes_is_refused_or_lands_where_the_contract_allows_it(shop: Shop, name: str) -> None:
    header = RETURNS_HEADER.split(",")
    cells = [str(value) for value in CELLS[:6]]
    sink = pa.BufferOutputStream()
    table = pa.table({key: [value] for key, value in zip(header, [*cells, LONG], strict=True)})
    pq.write_table(table, sink, use_dictionary=name == "parquet of one value", dictionary_pagesize_limit=1 << 30)
    content = {
        "csv": f"{RETURNS_HEADER}\n{ROW}{LONG}\n".encode(),
        "jsonl": (json.dumps(dict(zip(header, [*cells, LONG], strict=True))) + "\n").encode(),
        "parquet": sink.getvalue().to_pybytes(),
        "parquet of one value": sink.getvalue().to_pybytes(),
        "xlsx": repacked(sheet(header, [*CELLS[:6], "LONG"]), b"LONG", LONG.encode()),
        "xlsx of shared texts": with_shared_text(LONG, 1),
    }[name]
    path = shop.deliver(f"sales/returns/a_20261001.{name.split()[0]}", content)
    shop.land()
    assert "record_bytes" in refusal(shop)
    shop.company.deliveries_path.write_text("sales/returns: {limits: {record_bytes: 20000000}}\n")
    os.utime(path, (1_800_000_000, 1_800_000_000))
    assert shop.land().rows_landed == 1
    assert shop.rows("select return_id, reason_code = ? from raw.sales__returns", LONG) == [("R1", True)]
    shop.reconcile()


def test_too_many_bad_rows_refuse_the_file(shop: Shop) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {limits: {rejected_rows: 3}}\n")
    shop.returns("a_20261001.csv", *["R1,O1,x,2026-10-01,1,1,"] * 4)
    shop.land()
    assert "rejected_rows" in refusal(shop)


def test_bytes_changed_at_random_stop_neither_the_night_nor_the_count(shop: Shop) -> None:
    chance = random.Random(7)
    table = pa.table({key: [str(value)] * 50 for key, value in zip(RETURNS_HEADER.split(","), CELLS, strict=True)})
    packed = pa.BufferOutputStream()
    pq.write_table(table, packed)
    whole = {
        "csv": (f'{RETURNS_HEADER}\n{ROW}"a\nb"\n' + f"{ROW}ok\n" * 20).encode(),
        "csv.gz": gzip.compress((RETURNS_HEADER + "\n" + f"{ROW}ok\n" * 20).encode()),
        "parquet": packed.getvalue().to_pybytes(),
        "xlsx": sheet(RETURNS_HEADER.split(","), *[CELLS] * 5),
        "jsonl": b'{"return_id":"R1","order_id":"O1","line_no":1,"returned_at":"2026-10-01","quantity":1,"refund_amount":1}\n'
        * 9,
    }
    for name, content in whole.items():
        for number in range(40):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            shop.deliver(f"sales/returns/{number:02d}_20261001.{name}", bytes(damaged))
    shop.returns("good_20261002.csv", "GOOD,O1,1,2026-10-01 10:00:00,1,2.5,")
    report = shop.land()
    assert (
        report.files_landed + report.files_duplicate + report.files_refused + report.files_waiting == report.files_seen
    )
    assert shop.rows("select count(*) from raw.sales__returns where return_id = 'GOOD'") == [(1,)]
    shop.reconcile()
