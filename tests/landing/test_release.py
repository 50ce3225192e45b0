"""Out of the quarantine: a mended contract or a mended file, and nothing twice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.landing import ContractError
from tests.landing.conftest import RETURNS_HEADER, Shop

GERMAN = f"{RETURNS_HEADER.replace(',', ';')}\nR1;O1;1;2026-10-01 10:00:00;1;2,5;\nR2;O1;2;2026-10-01 10:00:00;1;2;\n"
CONTENT = "select * exclude (_delivered_at) from raw.sales__returns order by all"


def released(shop: Shop) -> list[Any]:
    return shop.rows("select line_no from landing.rejected_rows where released_at is not null order by 1")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_mended_contract_releases_the_rows_whether_the_file_is_there_or_not(
    new_shop: Callable[[str], Shop], is_there: bool
) -> None:
    shop, fresh = new_shop("mended"), new_shop("fresh")
    path = shop.deliver("sales/returns/a_20261001.csv", GERMAN)
    assert shop.land().rows_quarantined == 1
    before = shop.rows("select count(*) from raw.sales__returns")
    if not is_there:
        path.unlink()
    assert shop.land().rows_released == 0

    for company in (shop, fresh):
        company.company.deliveries_path.write_text("sales/returns: {format: {decimal: ','}}\n")
    report = shop.land()
    fresh.deliver("sales/returns/a_20261001.csv", GERMAN)
    fresh.land()

    assert before == [(1,)]
    assert report.rows_released == 1
    assert released(shop) == [(2,)]
    assert shop.rows(CONTENT) == fresh.rows(CONTENT)
    assert shop.rows("select row_count, raw_row_count, rejected_row_count from landing.files") == [(2, 2, 0)]
    shop.reconcile()
    again = shop.land()
    assert (again.rows_released, again.content_fingerprint) == (0, report.content_fingerprint)
    assert shop.rows(CONTENT) == fresh.rows(CONTENT)


def test_a_stricter_contract_reads_the_file_again_as_if_it_came_today(new_shop: Callable[[str], Shop]) -> None:
    shop, fresh = new_shop("shop"), new_shop("fresh")
    for company in (shop, fresh):
        company.deliver("sales/returns/a_20261001.csv", f"{RETURNS_HEADER}\nR1,O1,1,01.10.2026,1,2.5,\n")
        company.company.deliveries_path.write_text("sales/returns: {format: {date_formats: ['%d.%m.%Y']}}\n")
    shop.land()
    for company in (shop, fresh):
        company.company.deliveries_path.write_text("{}\n")
        company.land()
        company.reconcile()
    assert shop.rows(CONTENT) == fresh.rows(CONTENT) == []
    assert shop.rows("select row_count, rejected_row_count from landing.files") == [(1, 1)]


def test_a_column_added_to_the_contract_brings_in_what_was_left_out(shop: Shop) -> None:
    shop.deliver(
        "sales/returns/a_20261001.csv",
        f"{RETURNS_HEADER.replace('reason_code', 'Grund')}\nR1,O1,1,2026-10-01,1,2,defekt\n",
    )
    shop.land()
    assert shop.rows("select reason_code from raw.sales__returns") == [(None,)]
    shop.company.headers_path.write_text("sales/returns: {reason_code: [Grund]}\n")
    shop.land()
    assert shop.rows("select reason_code from raw.sales__returns") == [("defekt",)]
    assert shop.rows("select extra_columns from landing.files") == [([],)]
    shop.reconcile()


def test_rows_stay_when_a_later_contract_cannot_read_their_file_at_all(shop: Shop) -> None:
    shop.company.headers_path.write_text("sales/returns: {return_id: [Nr]}\n")
    shop.deliver(
        "sales/returns/a_20261001.csv",
        f"{RETURNS_HEADER.replace('return_id', 'Nr')}\nR1,O1,1,2026-10-01,1,2,\n,,,,,,\n",
    )
    shop.land()
    shop.company.headers_path.unlink()
    report = shop.land()
    assert any("rows stay" in problem and "return_id" in problem for problem in report.problems)
    assert shop.rows("select return_id from raw.sales__returns") == [("R1",)]
    shop.reconcile()
    shop.company.headers_path.write_text("sales/returns: {return_id: [Nr]}\n")
    assert not any("rows stay" in problem for problem in shop.land().problems)
    shop.reconcile()


def test_a_small_full_list_is_refused_until_somebody_accepts_it(shop: Shop) -> None:
    def products(day: int, *codes: str) -> None:
        rows = "".join(f"{code},Name,Cat,1\n" for code in codes)
        shop.deliver(
            f"sales/products/products_2026-10-0{day}.csv", "product_id,product_name,category,unit_cost\n" + rows
        )

    products(1, "A", "B", "C", "D", "E")
    products(2, "A", "B")
    products(3)
    report = shop.land()
    assert (report.files_landed, report.files_refused) == (1, 2)
    assert any("2 usable rows" in problem and "_sales__sources.yml" in problem for problem in report.problems)
    assert any("empty" in problem for problem in report.problems)
    assert shop.rows("select count(*) from raw.sales__products") == [(5,)]
    shop.company.deliveries_path.write_text(
        "sales/products: {accepted_small_files: [sales/products/products_2026-10-02.csv]}\n"
    )
    assert shop.land().files_landed == 1
    assert shop.rows("select count(*) from raw.sales__products") == [(7,)]
    shop.reconcile()
    shop.company.deliveries_path.write_text("sales/products: {minimum_share_of_last: 0.9}\n")
    shop.land()
    assert shop.rows("select status from landing.files order by file_name") == [("landed",), ("refused",), ("refused",)]
    shop.reconcile()


def test_the_company_orders_versions_by_a_column(shop: Shop) -> None:
    shop.company.deliveries_path.write_text("sales/returns: {delivery_order: returned_at}\n")
    shop.returns("a_20261002.csv", "R1,O1,1,2026-10-01 10:00:00,1,1,old")
    shop.returns("a_20261001.csv", "R1,O1,1,2026-10-02 10:00:00,1,1,new")
    shop.land()
    last = "select reason_code from raw.sales__returns qualify row_number() over (order by _delivery_key desc) = 1"
    assert shop.rows(last) == [("new",)]
    shop.company.deliveries_path.unlink()
    shop.land()
    assert shop.rows(last) == [("old",)]
    shop.reconcile()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sales/returns: {mode: snapshot}\n", "unknown field 'mode'"),
        ("sales/returnz: {}\n", "no extract"),
        ("sales/products: {delivery_order: unit_cost}\n", "full list"),
        ("sales/returns:\n  format: {encodings: [klingon]}\n", "deliveries.yml:2"),
        ("sales/returns: {minimum_share_of_last: 1.5}\n", "between 0 and 1"),
        ("sales/returns: {limits: {record_bytes: 0}}\n", "positive"),
    ],
)
def test_wrong_company_deliveries_name_the_fault(shop: Shop, text: str, part: str) -> None:
    shop.company.deliveries_path.write_text(text)
    with pytest.raises(ContractError, match=r"deliveries\.yml") as error:
        shop.land()
    assert part in str(error.value)


def ask(shop: Shop, *arguments: str) -> Result:
    path = shop.company.folder / "company.yml"
    path.write_text("name: Test\nenvironment: dev\ntime_zone: Asia/Shanghai\ncurrency_code: CNY\n")
    return CliRunner().invoke(app, ["landed", *arguments, "--company", str(shop.company.folder)])


def test_landed_shows_files_and_prints_rejects_that_can_be_sent_back(shop: Shop) -> None:
    assert ask(shop).exit_code == 1
    shop.returns(
        "a_20261001.csv", '=R1,O1,x,2026-10-01,1,2.5,"a\nb"', "R2,O1,1,2026-10-01,1,2.5,", "@R3,O1,1,2026-10-01,1,-1,"
    )
    shop.deliver("sales/returns/[red]b\x1b[2J_20261002.csv", "x\n")
    shop.land()
    shown = ask(shop).output
    assert "\x1b[2J" not in shown
    # Narrow terminals fold the columns.
    folded = "".join(shown.split())
    assert "1not_a_numberinline_no" in folded and "[red]b" in folded
    rows = list(csv.reader(io.StringIO(ask(shop, "--rejects").output)))
    assert rows[0] == ["extract", "file_name", "line_no", "column_name", "reason_code", "reason", "raw_text"]
    assert [(row[2], row[3], row[6]) for row in rows[1:]] == [
        ("2", "line_no", '\'=R1,O1,x,2026-10-01,1,2.5,"a\nb"'),
        ("5", "refund_amount", "'@R3,O1,1,2026-10-01,1,-1,"),
    ]
    found = json.loads(ask(shop, "--rejects", "--json", "--extract", "sales/returns").output)
    assert found[0]["raw_text"].startswith("=R1")
    counts = {file["file_name"]: file["rejected_row_count"] for file in json.loads(ask(shop, "--json").output)}
    assert counts["sales/returns/a_20261001.csv"] == 2
    assert ask(shop, "--extract", "sales/nothing").exit_code == 2


def test_a_mended_row_that_comes_with_a_later_file_is_settled(shop: Shop) -> None:
    shop.returns(
        "a_20261001.csv", "R1,O1,x,2026-10-01,1,2.5,", "R2,O1,y,2026-10-01,1,2.5,", "R3,O1,1,2026-10-01,1,2.5,"
    )
    shop.land()
    assert len(json.loads(ask(shop, "--rejects", "--json").output)) == 2
    shop.returns("mended_20261002.csv", "R1,O1,1,2026-10-01,1,2.5,")
    shop.land()
    assert [row["line_no"] for row in json.loads(ask(shop, "--rejects", "--json").output)] == [3]
    assert [row["is_settled"] for row in json.loads(ask(shop, "--rejects", "--settled", "--json").output)] == [
        True,
        False,
    ]
    shop.returns(
        "a_20261001.csv", "R1,O1,1,2026-10-01,1,2.5,", "R2,O1,1,2026-10-01,1,2.5,", "R3,O1,1,2026-10-01,1,2.5,"
    )
    shop.land()
    assert json.loads(ask(shop, "--rejects", "--json").output) == []
    shop.reconcile()


def test_every_version_of_a_record_can_be_asked_for(shop: Shop) -> None:
    shop.returns("a_20261002.csv", "R1,O1,1,2026-10-01,1,3.5,")
    shop.returns("a_20261001.csv", "R1,O1,1,2026-10-01,1,2.5,", "R2,O1,1,2026-10-01,1,2.5,")
    shop.land()
    found = json.loads(ask(shop, "--extract", "sales/returns", "--record", "R1", "--json").output)
    assert [(row["refund_amount"], row["file_name"]) for row in found] == [
        ("2.5000", "sales/returns/a_20261001.csv"),
        ("3.5000", "sales/returns/a_20261002.csv"),
    ]
    assert ask(shop, "--record", "R1").exit_code == 2
    assert ask(shop, "--extract", "sales/order_lines", "--record", "R1").exit_code == 2
