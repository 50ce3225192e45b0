"""The bulk SQL and the row-wise reader give one value: what SQL takes, the authority takes, and as the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.landing.cell_sql import good_sql, value_sql, version_sql
from orchestration.landing.cells import Violation, parse_cell, version_text
from orchestration.landing.contract import Column, Dialect, parse_data_type

COLUMNS = [
    Column("a", parse_data_type(text), minimum=Decimal(-5) if text == "integer" else None)
    for text in ("integer", "bigint", "decimal(18,4)", "decimal(4,4)", "decimal(38,0)", "boolean", "date", "timestamp")
]
ZONES = [
    ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC", "Australia/Lord_Howe")
]
DIALECTS = [Dialect(), Dialect(decimal=",", thousands="."), Dialect(thousands=",")]

DIGITS = st.text("0123456789", min_size=1, max_size=22)
DAYS = st.builds("{:04d}{}{:02d}{}{:02d}".format, st.integers(1990, 2062), st.sampled_from("-/."), st.integers(0, 13),
                 st.sampled_from("-/"), st.integers(0, 32))  # fmt: skip
CLOCKS = st.builds("{:02d}:{:02d}{}{}".format, st.integers(0, 25), st.integers(0, 61),
                   st.sampled_from(["", ":00", ":59", ":60", ":07.5", ":07.1234567"]),
                   st.sampled_from(["", "Z", "+08:00", "-0330", "+15:00", " "]))  # fmt: skip
TEXTS = st.one_of(
    st.builds("{}{}{}{}".format, st.sampled_from(["", "+", "-", "\u2212"]), DIGITS, st.sampled_from(["", ".", ","]),
              st.text("0123456789", max_size=6)),
    DAYS,
    st.builds("{}{}{}".format, DAYS, st.sampled_from([" ", "T", "  "]), CLOCKS),
    st.sampled_from(["true", "FALSE", "1", "0", "是", "NaN", "inf", "1e3", "１２",
                     "2026/11/22 14:03", "20261122", "1_000", " 7 "]),
    st.text(max_size=6),
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS.filter(lambda t: t and "\0" not in t), min_size=1, max_size=8), column=st.sampled_from(COLUMNS),
       dialect=st.sampled_from(DIALECTS), zone=st.sampled_from(ZONES))  # fmt: skip
def test_what_sql_takes_is_what_the_authority_takes(
    connection: duckdb.DuckDBPyConnection, texts: list[str], column: Column, dialect: Dialect, zone: ZoneInfo
) -> None:
    value = value_sql("cell", column, dialect, zone)
    good = good_sql("value", "cell", column)
    rows = connection.execute(
        f"select cell, value, {good}, {version_sql('value', column)} "
        f"from (select cell, {value} as value from (select unnest(?) as cell))",
        [texts],
    ).fetchall()
    for cell, found, is_good, version in rows:
        if not is_good:
            continue
        expected = parse_cell(cell, column, dialect, zone)
        assert found == expected, cell
        if column.data_type.name != "boolean" and column.data_type.precision < 38:
            assert version == version_text(expected), cell


@pytest.mark.parametrize(
    ("text", "data_type", "zone"),
    [
        ("2026-11-22 14:03:00", "timestamp", "Asia/Shanghai"),
        ("2026/11/22 14:03", "timestamp", "Asia/Shanghai"),
        ("2026-11-22", "date", "UTC"),
        ("2026/11/22", "date", "UTC"),
        ("-12.50", "decimal(18,4)", "UTC"),
        ("42", "integer", "UTC"),
        ("true", "boolean", "UTC"),
    ],
)
def test_the_plain_notations_go_the_fast_way(
    connection: duckdb.DuckDBPyConnection, text: str, data_type: str, zone: str
) -> None:
    column = Column("a", parse_data_type(data_type))
    sql = value_sql("cell", column, Dialect(), ZoneInfo(zone))
    (found,) = connection.execute(f"select {sql} from (select cast(? as varchar) as cell)", [text]).fetchall()[0]
    assert found is not None
    assert found == parse_cell(text, column, Dialect(), ZoneInfo(zone))


def test_a_required_column_takes_no_empty_cell() -> None:
    column = replace(COLUMNS[0], required=True)
    assert good_sql("value", "cell", column) == "value is not null and coalesce(value >= -5, true)"
    with pytest.raises(Violation):
        parse_cell("-6", column, Dialect(), ZONES[0])
