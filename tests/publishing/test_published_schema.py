"""What BI reads holds no pay, no contact data and no names: by the tags of the columns, and by the values themselves."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing.candidate import (
    INCENTIVES_SCHEMAS,
    MARTS_SCHEMAS,
    Candidate,
    TaggedColumn,
    tagged_columns,
    write_marts,
)
from orchestration.settings import Company
from orchestration.state import load_candidate
from tests.conftest import WRITER, FirstNight

pytestmark = pytest.mark.xdist_group("sample_night")


@pytest.fixture
def company(first_night: FirstNight, built_night: Path) -> Company:
    return first_night.company


def columns_of(path: Path) -> set[tuple[str, str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return set(
            connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns() where not internal"
            ).fetchall()
        )


def test_no_tagged_column_is_in_the_file_that_bi_reads(company: Company, built_night: Path) -> None:
    pay = {name.split(".")[2] for name in tagged_columns(company, INCENTIVES_SCHEMAS)}
    assert {"amount", "gross_amount", "base_amount", "held_amount"} <= pay
    assert tagged_columns(company, MARTS_SCHEMAS) == set()
    published = {column for _, _, column in columns_of(built_night / "marts.duckdb")}
    assert len(published) > 200
    assert not published & (pay | {"full_name", "email", "contact", "salary_amount"})


def test_every_published_column_is_one_the_models_describe(company: Company, built_night: Path) -> None:
    manifest = json.loads((company.dbt_target_dir / "manifest.json").read_text(encoding="utf-8"))
    described = {
        (node["schema"], node["alias"], column)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
        for column in node["columns"]
    }
    meta = {"publication", "check_results"}
    for name in ("marts.duckdb", "incentives.duckdb"):
        published = {entry for entry in columns_of(built_night / name) if entry[1] not in meta}
        assert published - described == set()


def test_a_tagged_column_in_a_mart_stops_the_candidate(company: Company, tmp_path: Path) -> None:
    path = company.dbt_target_dir / "manifest.json"
    text = path.read_text(encoding="utf-8")
    manifest = json.loads(text)
    node = next(node for node in manifest["nodes"].values() if node["name"] == "orders" and node["schema"] == "core")
    node["columns"]["order_amount"]["config"] = {"tags": ["pay"]}
    candidate = load_candidate(company)
    elsewhere = Candidate(**{**candidate.__dict__, "folder": tmp_path / "candidate"})
    try:
        path.write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(TaggedColumn, match=r"core\.orders\.order_amount"):
            write_marts(company, elsewhere, WRITER)
    finally:
        path.write_text(text, encoding="utf-8")
    assert not elsewhere.marts_path.exists()


def test_no_name_address_or_contact_of_anybody_is_a_value_in_it(company: Company, built_night: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built_night / 'warehouse.duckdb'}' as warehouse (read_only)")
        connection.execute(f"attach '{built_night / 'marts.duckdb'}' as marts (read_only)")
        connection.execute("""
            create table private as
            select full_name as value from warehouse.raw.hr__employees union
            select email from warehouse.raw.hr__employees union
            select contact from warehouse.raw.sales__customers
        """)
        connection.execute("delete from private where value is null")
        assert connection.execute("select count(*) > 1000 from private").fetchall() == [(True,)]
        texts = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where database_name = 'marts' and data_type = 'VARCHAR'"
        ).fetchall()
        assert len(texts) > 100
        for schema, table, column in texts:
            query = f'select count(*) from marts."{schema}"."{table}" semi join private on "{column}" = private.value'
            assert connection.execute(query).fetchall() == [(0,)], (schema, table, column)


def test_what_the_pipeline_keeps_is_its_owners_alone(company: Company) -> None:
    assert company.state_dir.stat().st_mode & 0o777 == 0o700
    assert (company.published_dir / "current" / "incentives.duckdb").stat().st_mode & 0o777 == 0o600
    assert (company.published_dir / "current" / "marts.duckdb").stat().st_mode & 0o777 == 0o644
