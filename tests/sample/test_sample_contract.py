"""Every file of the sample is in the form the extract contract asks for, except for the rows that were broken on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from tests.sample.conftest import NOT_DELIVERED, Chain, Extract, header_of, read_contract

EXTRACTS = sorted(read_contract().keys() - NOT_DELIVERED)
DUCKDB_TYPES = {"timestamp": "timestamptz"}


def test_every_extract_of_the_contract_but_those_named_is_delivered(chain: Chain) -> None:
    delivered = {f"{path.parent.name}/{path.name}" for path in chain.folder.glob("*/*") if path.is_dir()}
    assert delivered == set(EXTRACTS)


def required_columns(extract: Extract) -> Iterator[str]:
    return (column.name for column in extract.columns.values() if column.required)


@pytest.mark.parametrize("name", EXTRACTS)
def test_every_header_is_known_and_every_required_column_there(chain: Chain, name: str) -> None:
    extract = chain.contract[name]
    for path in chain.files(name):
        names = [extract.canonical(header) for header in header_of(path)]
        assert None not in names, path
        assert len(set(names)) == len(names), path
        assert set(required_columns(extract)) <= set(names), path


@pytest.mark.parametrize("name", EXTRACTS)
def test_values_have_their_type_and_required_ones_are_there(chain: Chain, name: str) -> None:
    extract, table = chain.contract[name], name.split("/")[1]
    planted = {(bad["file"], bad["column"]) for bad in chain.truth["defects"]["bad_rows"] if bad["extract"] == name}
    present = {row[0] for row in chain.rows(f"describe {table}")}
    broken: list[tuple[str, str]] = []
    for column in extract.columns.values():
        if column.name not in present:
            continue
        wanted = DUCKDB_TYPES.get(column.data_type, column.data_type)
        wrong = f"{column.name} is not null and try_cast({column.name} as {wanted}) is null"
        if column.required:
            wrong += f" or {column.name} is null"
        if column.values:
            wrong += f" or {column.name} not in {column.values}"
        broken += [(file, column.name) for (file,) in chain.rows(f"select file from {table} where {wrong}")]
    assert sorted(broken) == sorted(planted)


def test_answers_hold_a_score_or_a_text(chain: Chain) -> None:
    assert chain.contract["survey/answers"].one_of == ("score", "answer_text")
    assert chain.value("select count(*) from answers where (score is null) = (answer_text is null)") == 0


@pytest.mark.parametrize("name", EXTRACTS)
def test_keys_repeat_only_where_it_was_planted(chain: Chain, name: str) -> None:
    extract, table = chain.contract[name], name.split("/")[1]
    assert chain.value(f"select count(*) from {table}") == chain.summary.rows[name]
    assert chain.value(f"select count(*) from {table}_now") == chain.summary.unique_keys[name]
    same_file = f"select 1 from {table} group by file, {', '.join(extract.key)} having count(*) > 1"
    assert chain.rows(same_file) == []


def test_file_names_say_the_day_of_delivery(chain: Chain) -> None:
    names = [path.name for name in EXTRACTS for path in chain.files(name)]
    for name in names:
        day = re.fullmatch(r"[a-z_]+_(\d{4}-\d\d-\d\d)(_late)?\.(csv|csv\.gz|parquet)", name)
        assert day is not None, name
        assert chain.spec.first_day <= date.fromisoformat(day[1]) <= chain.spec.last_day
    assert len(names) == chain.summary.files


@pytest.mark.parametrize(
    ("table", "moment", "is_daily"),
    [
        ("order_lines", "ordered_at", True),
        ("responses", "submitted_at", True),
        ("returns", "returned_at", False),
        ("invitations", "sent_at", False),
        ("interactions", "occurred_at", False),
    ],
)
def test_a_file_holds_the_events_of_its_day_or_month(chain: Chain, table: str, moment: str, is_daily: bool) -> None:
    delivered = "regexp_extract(file, '\\d{4}-\\d\\d-\\d\\d')"
    grain = 10 if is_daily else 7
    elsewhere = chain.rows(
        f"select distinct file from {table} where {moment}[:{grain}] != {delivered}[:{grain}] and file not like '%late%'"
    )
    defects = chain.truth["defects"]
    planted = {entry["repeated_in"] for entry in defects["duplicates"]}
    planted |= {entry["corrected_in"] for entry in defects["corrections"]}
    assert {file for (file,) in elsewhere} <= planted


def test_times_carry_the_offset_of_the_business_time_zone(chain: Chain) -> None:
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00"
    for table, columns in {
        "order_lines": ["ordered_at"],
        "returns": ["returned_at"],
        "customers": ["registered_at"],
        "invitations": ["sent_at"],
        "responses": ["submitted_at", "started_at"],
        "tickets": ["opened_at", "first_response_at", "resolved_at"],
        "interactions": ["occurred_at"],
    }.items():
        for column in columns:
            assert chain.value(f"select count(*) from {table} where not regexp_full_match({column}, '{form}')") == 0


def test_one_source_speaks_chinese_and_formats_differ(chain: Chain) -> None:
    assert "工号" in header_of(chain.files("hr/employees")[0])
    assert {path.suffix for name in EXTRACTS for path in chain.files(name)} == {".csv", ".gz", ".parquet"}
