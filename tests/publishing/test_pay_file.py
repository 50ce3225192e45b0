"""The pay file: its owner's alone, encrypted where a key is set, readable by what we ship with the key and by nothing without."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from expectations.checks import CheckResult
from orchestration.cli import app
from orchestration.pay_file import KEY_VARIABLE, PayFileError, attach_new, encrypt, is_encrypted, open_file
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.history import list_publications
from orchestration.publishing.release import publish, verify_release
from orchestration.publishing.seal import record_checked_file, seal
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import WRITER, copy_company, run_night
from tests.publishing.test_publish import REQUIRED, candidate_of, check, green, sealed

KEY = "correct horse battery staple, twice over"
needs_openssl = pytest.mark.skipif(
    importlib.util.find_spec("duckdb_extension_httpfs") is None,
    reason="duckdb-extension-httpfs is not installed, and DuckDB cannot encrypt without its OpenSSL",
)


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.delenv("SCORECARD_COMPANY", raising=False)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return copy_company(PROJECT_DIR, tmp_path / "company")


def encrypted(company: Company, release_id: str, incentives: list[CheckResult]) -> Candidate:
    candidate = candidate_of(company, release_id)
    encrypt(candidate.incentives_path)
    record_checked_file(company, release_id, candidate.incentives_path)
    check(company, candidate, green("marts"), incentives)
    seal(company, candidate, REQUIRED, WRITER)
    return candidate


@needs_openssl
def test_an_encrypted_release_is_published_and_read_with_the_key_and_not_without(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = publish(company, encrypted(company, "payday", green("incentives")))
    content = release.incentives_path.read_bytes()
    assert b"payday" in release.marts_path.read_bytes()
    assert b"payday" not in content
    assert b"statements." not in content
    assert release.incentives_path.stat().st_mode & 0o777 == 0o600
    verify_release(release)
    assert [entry.problem for entry in list_publications(company)] == [""]
    with open_file(release.incentives_path) as connection:
        assert connection.execute("select who from facts").fetchall() == [("payday",)]
        assert connection.execute("select release_id from meta.publication").fetchall() == [("payday",)]
    for key, message in ((None, "is encrypted; set"), (KEY[::-1], "not the one it was written with")):
        if key is None:
            monkeypatch.delenv(KEY_VARIABLE)
        else:
            monkeypatch.setenv(KEY_VARIABLE, key)
        with pytest.raises(PayFileError, match=message), open_file(release.incentives_path):
            pass
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(release.incentives_path), read_only=True)
    with open_file(release.marts_path) as connection:
        assert connection.execute("select who from facts").fetchall() == [("payday",)]


@needs_openssl
def test_the_key_is_in_no_file_and_in_no_message(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(company, encrypted(company, "payday", green("incentives")))
    ask = ["query", "--payroll", "select who from facts", "--json"]
    good = CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, ask)
    assert json.loads(good.output) == [{"who": "payday"}]
    wrong = CliRunner(env={"SCORECARD_COMPANY": str(company.folder), KEY_VARIABLE: KEY[::-1]}).invoke(app, ask)
    assert wrong.exit_code == 1
    assert "not the one it was written with" in " ".join(wrong.output.split())
    for text in (good.output, wrong.output):
        assert KEY not in text and KEY[::-1] not in text
    files = [path for path in company.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


@needs_openssl
def test_a_night_leaves_its_key_in_no_log_or_file(company: Company, small_extracts: Path) -> None:
    company.extracts_dir.symlink_to(small_extracts)
    run = run_night(company, {KEY_VARIABLE: KEY})
    assert run.exit_code == 0, run.output
    assert is_encrypted(company.published_dir / "current" / "incentives.duckdb")
    part = KEY[8:30]
    assert part not in run.output
    for folder in (company.state_dir / "logs", company.dagster_home, company.dbt_target_dir, company.published_dir):
        assert [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in company.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if part.encode() in path.read_bytes()]


@needs_openssl
def test_pay_that_is_carried_from_a_plain_release_is_encrypted_on_the_way(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    plain = publish(company, sealed(company, "a"))
    assert not is_encrypted(plain.incentives_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    red = [replace(green("incentives")[0], passed=False, message="no"), *green("incentives")[1:]]
    release = publish(company, encrypted(company, "b", red))
    assert is_encrypted(release.incentives_path)
    assert release.incentives_path.stat().st_mode & 0o777 == 0o600
    with open_file(release.incentives_path) as connection:
        assert connection.execute("select who, release_id from facts, meta.publication").fetchall() == [("a", "b")]


@needs_openssl
def test_a_new_pay_file_is_encrypted_from_its_first_byte(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "pay.duckdb"
    with duckdb.connect() as connection:
        attach_new(connection, path, "pay", "storage_version 'v1.4.0'")
        connection.execute("create table pay.amounts as select 'E00001 is paid' as said from range(10)")
        connection.execute("checkpoint pay")
    assert b"is paid" not in path.read_bytes()
    assert is_encrypted(path)


def test_a_short_key_protects_nothing_and_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with duckdb.connect() as connection, pytest.raises(PayFileError, match="at least 32 characters"):
        attach_new(connection, tmp_path / "pay.duckdb", "pay", "storage_version 'v1.4.0'")


def test_without_the_means_to_encrypt_a_key_stops_the_pay_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setattr("orchestration.pay_file._EXTENSION", "extensions/v0/nothing")
    with duckdb.connect() as connection, pytest.raises(PayFileError, match="cannot encrypt here") as error:
        attach_new(connection, tmp_path / "pay.duckdb", "pay", "storage_version 'v1.4.0'")
    assert KEY not in str(error.value)
    assert not (tmp_path / "pay.duckdb").exists()
