"""Whoever was erased does not come back, whatever is delivered, and the warehouse file has no byte of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.apart import apart
from orchestration.erasure.erase import (
    erase_left_over,
    finish_erasures,
    request_erasure,
    resume_erasures,
    texts_left_over,
)
from orchestration.erasure.register import ErasureError, key_path, read_erasures, register_path
from orchestration.landing import erased, land
from orchestration.landing.scrub import ERASED_TEXT
from orchestration.nightwatch import ended_nights
from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company
from tests.landing.conftest import Shop

CUSTOMERS = """customer_id,registered_at,region,city,segment,acquisition_channel,contact,survey_consent,card_id
C-777,2026-01-01 10:00:00,North,Wuhan,gold,web,+86 139 7777 0001,true,CARD-777
C-888,2026-01-02 10:00:00,North,Wuhan,gold,web,+86 139 8888 0002,true,CARD-888
C-777,2026-01-03 10:00:00,North,Wuhan,gold,web,+86 139 7777 0001,true,CARD-777
"""
LINES = """order_id,line_no,ordered_at,store_id,product_id,quantity,unit_price,currency_code,customer_id
o1,1,2026-02-01 10:00:00,S001,P1,1,10.00,CNY,C-777
o2,1,2026-02-02 10:00:00,S001,P1,1,10.00,CNY,C-888
o3,1,2026-02-03 10:00:00,S001,P1,one,10.00,CNY,C-777
o4,1,2026-02-04 10:00:00,S001,P1,1,10.00,CNY
"""
RESPONSES = """response_id,survey_code,channel,submitted_at,invitation_id,customer_id,order_id,device_id
r1,post,qr,2026-02-05 10:00:00,,C-777,o1,dev-own-777
r2,post,qr,2026-02-05 11:00:00,,,o1,dev-till
r3,post,qr,2026-02-05 12:00:00,,C-888,o2,dev-till
"""
ANSWERS = """response_id,question_code,score,answer_text
r1,comment,,My name is Ada Seven
r2,comment,,Call me at 7777
r2,csat,5,
r3,comment,,All good
"""
HASH = hashlib.sha256(b"+86 139 7777 0001").hexdigest()
INTERACTIONS = f"""interaction_id,occurred_at,touchpoint_code,channel,contact_hash,card_id
i1,2026-02-05 10:00:00,web_visit,web,{HASH},
i2,2026-02-05 11:00:00,store_enquiry,store,,CARD-777
i3,2026-02-05 12:00:00,store_enquiry,store,,CARD-888
"""
TELLING = (
    "C-777", "7777 0001", "dev-own-777", "Ada Seven", "Call me at 7777", "CARD-777", HASH,
)  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(copy_company(PROJECT_DIR, tmp_path / "company"))
    deliver(shop)
    land_apart(shop)
    return shop


def land_apart(shop: Shop) -> None:
    """Land as an earlier night did: what its memory held of somebody is not in that of the nights after the erasure."""
    apart(land, shop.company)


def deliver(shop: Shop, suffix: str = "1") -> None:
    for name, text in {"sales/customers": CUSTOMERS, "sales/order_lines": LINES, "survey/responses": RESPONSES,
                       "survey/answers": ANSWERS, "service/interactions": INTERACTIONS}.items():  # fmt: skip
        shop.deliver(f"{name}/{suffix}.csv", text)


def erase(shop: Shop, *customers: str) -> tuple[str, ...]:
    requested = request_erasure(shop.company, customers or ("C-777",), "ann", "asked for it")
    resume_erasures(shop.company)
    return requested.new


def cells(path: Path) -> Iterator[str]:
    """Every value of every table of a file, as text: compression may hide a text from a search in the bytes."""
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            for row in connection.execute(f'select columns(*)::varchar from "{schema}"."{table}"').fetchall():
                yield from (value for value in row if value)


def telling_in(path: Path, telling: tuple[str, ...] = TELLING) -> set[str]:
    """Which of the texts are in the file: in its bytes, or in a cell."""
    content = path.read_bytes()
    found = {text for text in telling if text.encode() in content}
    values = "\x1f".join(cells(path))
    return found | {text for text in telling if text in values}


def counts(shop: Shop) -> list[tuple[str, int]]:
    tables = ("raw.sales__customers", "raw.sales__order_lines", "raw.survey__responses", "raw.survey__answers",
              "raw.service__interactions", "landing.files", "landing.rejected_rows")  # fmt: skip
    return [(table, shop.rows(f"select count(*) from {table}")[0][0]) for table in tables]


def told(shop: Shop) -> list[list[tuple[object, ...]]]:
    """What the tables say, but for when and under which key it was landed."""
    raw = ("sales__customers", "sales__order_lines", "survey__responses", "survey__answers", "service__interactions"
    )  # fmt: skip
    queries = [
        f"select * exclude (_file_id, _delivered_at, _delivery_key) from raw.{table} order by all" for table in raw
    ]
    return [
        shop.rows(query)
        for query in (*queries, "select line_no, reason_code, raw_text from landing.rejected_rows order by all")
    ]


def test_nothing_of_an_erased_customer_is_left_in_the_warehouse_and_every_row_is(shop: Shop) -> None:
    assert telling_in(shop.company.warehouse_path) == set(TELLING)
    before, sums = counts(shop), shop.rows("select sum(quantity), sum(unit_price) from raw.sales__order_lines")
    (name,) = erase(shop)
    assert telling_in(shop.company.warehouse_path) == set()
    assert counts(shop) == before
    assert shop.rows("select sum(quantity), sum(unit_price) from raw.sales__order_lines") == sums
    assert shop.rows("select order_id, customer_id from raw.sales__order_lines order by order_id") == [
        ("o1", name), ("o2", "C-888")
    ]  # fmt: skip
    assert shop.rows("select customer_id, contact, city from raw.sales__customers order by registered_at") == [
        (name, None, "Wuhan"), ("C-888", "+86 139 8888 0002", "Wuhan"),
    ]  # fmt: skip
    texts = (
        "select response_id, answer_text from raw.survey__answers where answer_text is not null order by response_id"
    )
    assert shop.rows(texts) == [("r1", ERASED_TEXT), ("r2", ERASED_TEXT), ("r3", "All good")]
    # What led to the customer leads to the pseudonym: both touches by one card stay touches by one card.
    cards = dict(shop.rows("select interaction_id, coalesce(card_id, contact_hash) from raw.service__interactions"))
    own_card = shop.rows("select distinct card_id from raw.sales__customers where customer_id like 'erased-%'")
    assert [(cards["i2"],)] == own_card and cards["i1"].startswith("erased-") and cards["i3"] == "CARD-888"
    # The till's tablet was others' too: it stays, or the screens would see other devices than before.
    devices = dict(shop.rows("select response_id, device_id from raw.survey__responses"))
    assert devices["r1"].startswith("erased-")
    assert devices["r2"] == devices["r3"] == "dev-till"
    shop.reconcile()


def test_no_process_that_goes_on_opens_the_warehouse_before_the_erased_are_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(path: Path) -> None:
        raise AssertionError(f"{path} was opened in this process")

    monkeypatch.setattr(erased, "open_warehouse", opened)
    erase(shop)
    assert texts_left_over(shop.company, shop.company.warehouse_path) == 0
    assert telling_in(shop.company.warehouse_path) == set()


def test_what_the_contract_no_longer_names_is_not_carried_over(shop: Shop) -> None:
    with duckdb.connect(str(shop.company.warehouse_path)) as connection:
        connection.execute("alter table raw.sales__customers add column nickname varchar")
        connection.execute("update raw.sales__customers set nickname = 'Ada Seven' where customer_id = 'C-777'")
    erase(shop)
    assert telling_in(shop.company.warehouse_path) == set()


def test_the_rows_in_quarantine_lose_the_customer_and_keep_their_reason(shop: Shop) -> None:
    before = shop.rows("select file_name, line_no, column_name, reason_code from landing.rejected_rows order by all")
    assert len(before) == 3
    (name,) = erase(shop)
    query = "select file_name, line_no, column_name, reason_code from landing.rejected_rows order by all"
    assert shop.rows(query) == before
    texts = dict(shop.rows("select line_no, raw_text from landing.rejected_rows where file_name like '%order_lines%'"))
    assert name in texts[4]
    assert texts[5].startswith("o4")


def test_the_same_files_delivered_again_bring_nobody_back(shop: Shop) -> None:
    erase(shop)
    before = shop.rows(
        "select * exclude (_file_id, _delivered_at, _delivery_key) from raw.sales__customers order by all"
    )
    deliver(shop, "2")
    for path in shop.company.extracts_dir.rglob("2.csv"):
        path.write_text(path.read_text() + "\n", encoding="utf-8")
    shop.land()
    assert telling_in(shop.company.warehouse_path) == set()
    after = shop.rows(
        "select * exclude (_file_id, _delivered_at, _delivery_key) from raw.sales__customers order by all"
    )
    assert set(after) == set(before)


def test_a_warehouse_landed_anew_from_the_old_files_does_not_know_them_either(shop: Shop) -> None:
    erase(shop)
    before = told(shop)
    shop.company.warehouse_path.unlink()
    shop.land()
    assert telling_in(shop.company.warehouse_path) == set()
    assert told(shop) == before


def test_new_events_of_an_erased_customer_are_counted_under_the_pseudonym(shop: Shop) -> None:
    (name,) = erase(shop)
    head = LINES.splitlines()[0]
    shop.deliver("sales/order_lines/later.csv", f"{head}\no9,1,2026-03-01 10:00:00,S001,P1,2,5.00,CNY,C-777\n")
    shop.land()
    assert shop.rows("select customer_id from raw.sales__order_lines where order_id = 'o9'") == [(name,)]


def test_a_text_that_came_before_its_response_goes_once_it_is_known_whose_it_is(shop: Shop) -> None:
    erase(shop)
    shop.deliver(
        "survey/answers/early.csv", "response_id,question_code,score,answer_text\nr9,comment,,Ada Seven again\n"
    )
    shop.land()
    erase_left_over(shop.company)
    assert telling_in(shop.company.warehouse_path) == {"Ada Seven"}
    head = RESPONSES.splitlines()[0]
    shop.deliver("survey/responses/late.csv", f"{head}\nr9,post,qr,2026-03-05 10:00:00,,C-777,,\n")
    shop.land()
    erase_left_over(shop.company)
    assert telling_in(shop.company.warehouse_path) == set()
    assert shop.rows("select answer_text from raw.survey__answers where response_id = 'r9'") == [(ERASED_TEXT,)]


def test_what_was_noted_about_a_case_of_theirs_goes_with_the_response_whenever_it_comes(shop: Shop) -> None:
    head = "case_id,handled_at,outcome_code,comment\n"
    cases = (
        "r1:comment,2026-02-06 10:00:00,resolved,Ada Seven was called\nr3:comment,2026-02-06 10:00:00,resolved,Fine\n"
    )
    shop.deliver("service/case_outcomes/1.csv", head + cases)
    land_apart(shop)
    erase(shop)
    shop.deliver("service/case_outcomes/2.csv", head + "r2:nps,2026-02-07 10:00:00,unreachable,Ada Seven again\n")
    shop.land()
    assert telling_in(shop.company.warehouse_path) == set()
    query = "select case_id, comment from raw.service__case_outcomes order by case_id"
    assert shop.rows(query) == [("r1:comment", ERASED_TEXT), ("r2:nps", ERASED_TEXT), ("r3:comment", "Fine")]


def test_the_list_and_its_key_tell_nobody_who_it_was(shop: Shop) -> None:
    erase(shop)
    assert not [text for text in TELLING if text in register_path(shop.company).read_text(encoding="utf-8")]
    for path in (register_path(shop.company), key_path(shop.company)):
        assert path.stat().st_mode & 0o777 == 0o600


def test_without_the_key_or_with_another_nothing_is_landed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    erase(shop)
    key = key_path(shop.company).read_text()
    key_path(shop.company).unlink()
    with pytest.raises(ErasureError, match="the key is gone"):
        shop.land()
    monkeypatch.setenv("SCORECARD_ERASURE_KEY", "x" * 32)
    with pytest.raises(ErasureError, match="not the one"):
        shop.land()
    monkeypatch.setenv("SCORECARD_ERASURE_KEY", key.strip())
    shop.land()


@pytest.mark.parametrize(
    ("customer", "reason", "message"),
    [("C-999", "asked", "in no delivered row"), ("C-777", "C-777 asked", "must not name"), ("C-777", " ", "a reason")],
)
def test_an_erasure_of_nobody_or_with_a_telling_reason_is_refused(
    shop: Shop, customer: str, reason: str, message: str
) -> None:
    with pytest.raises(ErasureError, match=message):
        request_erasure(shop.company, [customer], "ann", reason)
    assert read_erasures(shop.company).names == frozenset()


def test_a_customer_whom_a_seed_names_is_not_half_erased(shop: Shop) -> None:
    path = shop.company.seeds_dir / "mappings" / "staff_identifiers.csv"
    path.write_text(path.read_text() + "customer,C-777,E1,2025-01-01,,board,Card of staff\n", encoding="utf-8")
    with pytest.raises(ErasureError, match=r"staff_identifiers.csv:4 names customer"):
        erase(shop)


def test_an_erasure_that_was_killed_is_resumed_and_one_that_was_done_is_not_repeated(shop: Shop) -> None:
    request_erasure(shop.company, ["C-777"], "ann", "asked")
    half = shop.company.warehouse_path.with_name("erasing-half")
    half.mkdir()
    (half / "0.parquet").write_bytes(b"half a file")
    resume_erasures(shop.company)
    assert not half.exists()
    assert telling_in(shop.company.warehouse_path) == set()
    written = shop.company.warehouse_path.stat().st_ino
    half.mkdir()
    resume_erasures(shop.company)
    assert not half.exists()
    assert shop.company.warehouse_path.stat().st_ino == written
    again = request_erasure(shop.company, ["C-777"], "ann", "asked")
    assert (again.new, len(again.known)) == ((), 1)


def test_logs_copies_and_past_nights_forget_too_and_a_past_night_finishes_nothing(shop: Shop) -> None:
    state = shop.company.state_dir
    (state / "logs").mkdir()
    line = "key 'C-777' stands on line 2 already, C-888 does not\n"
    for name in ("logs/20260101.log", "logs/20260102.log", "nights.jsonl", "last_night.json"):
        (state / name).write_text(line, encoding="utf-8")
    for folder in (state / "failing_rows" / "r1", state / "day", shop.company.data_dir / "backfill" / "2026-01-01"):
        folder.mkdir(parents=True)
        (folder / "rows").write_text("C-777", encoding="utf-8")
    (name,) = erase(shop)
    for path in ("logs/20260101.log", "nights.jsonl", "last_night.json"):
        assert (state / path).read_text(encoding="utf-8") == line.replace("C-777", name)
    left = [path for path in shop.company.data_dir.rglob("rows") if path.is_file()]
    assert left == []
    shop.company.past_night_path.write_text("{}", encoding="utf-8")
    assert finish_erasures(shop.company, "r1") == []
    assert read_erasures(shop.company).pending == (name,)


def test_the_job_erases_whom_a_file_names_and_keeps_no_name_in_its_run(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    from orchestration.defs.erasure import erase_customers

    monkeypatch.setenv("SCORECARD_COMPANY", str(shop.company.folder))
    names = tmp_path / "customers"
    names.write_text("C-777\nC-888\n", encoding="utf-8")
    storage = tmp_path / "dagster"
    storage.mkdir()
    with dg.DagsterInstance.local_temp(str(storage)) as instance:
        run = erase_customers.execute_in_process(
            instance=instance,
            run_config={"ops": {"erase": {"config": {"customers_file": str(names), "by": "ann", "reason": "asked"}}}},
        )
        assert run.success
    assert not names.exists()
    assert ended_nights(shop.company) == []
    assert telling_in(shop.company.warehouse_path, (*TELLING, "C-888")) == set()
    kept = [path for path in storage.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"C-777" in path.read_bytes()]
