"""Releases under faults: damage is found before use, a kill leaves old or new, and there is a way back."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from expectations.rules import FailingRows
from orchestration.cli import app, main
from orchestration.landing import land
from orchestration.lock import night_lock
from orchestration.night import plan_night
from orchestration.publishing.failing_rows import save_failing_rows
from orchestration.publishing.history import list_publications, rollback
from orchestration.publishing.reader import open_locked_down
from orchestration.publishing.release import PublishRefused, current_release, drop_old_releases, publish, verify_release
from orchestration.settings import PROJECT_DIR, Company, load_company
from tests.conftest import copy_company
from tests.publishing.test_publish import sealed


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.delenv("SCORECARD_COMPANY", raising=False)
    return copy_company(PROJECT_DIR, tmp_path / "company")


def scorecard(company: Company, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, list(arguments))
    assert result.exit_code == exit_code, result.output
    return result.output


@pytest.mark.parametrize("name", ["marts.duckdb", "incentives.duckdb"])
def test_a_flipped_bit_or_a_cut_anywhere_is_found_before_use(company: Company, name: str) -> None:
    release = publish(company, sealed(company, "a"))
    path, places = release.folder / name, random.Random(20261101)
    good = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(good)
        damaged[places.randrange(len(good))] ^= 1 << places.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(PublishRefused, match="is not the file that was checked"):
            verify_release(release)
    for _ in range(80):
        path.write_bytes(good[: places.randrange(len(good))])
        with pytest.raises(PublishRefused, match="is not the file that was checked"):
            verify_release(release)
    path.write_bytes(good)
    verify_release(release)


def test_a_stale_write_ahead_log_is_never_replayed(company: Company, tmp_path: Path) -> None:
    release = publish(company, sealed(company, "a"))
    other = tmp_path / "other.duckdb"
    writer = """
import duckdb, os, sys
connection = duckdb.connect()
connection.execute(f"attach '{sys.argv[1]}' as r (storage_version 'v1.4.0')")
connection.execute("create table r.facts as select 'before' as who")
connection.execute("checkpoint r")
connection.execute("insert into r.facts values ('from the log')")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", writer, str(other)], check=True)
    log = other.with_name("other.duckdb.wal")
    assert log.stat().st_size > 0
    release.marts_path.with_name("marts.duckdb.wal").write_bytes(log.read_bytes())
    with pytest.raises(PublishRefused, match=r"marts\.duckdb\.wal: a write-ahead log"):
        verify_release(release)
    try:
        with duckdb.connect(str(release.marts_path), read_only=True) as reader:
            assert reader.execute("select who from facts").fetchall() == [("a",)]
    except duckdb.Error:
        pass  # Refusing to open is as good: nothing of the log was shown.


FORGER = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("update facts set who = 'forged'")
os._exit(0)
"""
COMMANDS = {
    "query": ["select who from facts"],
    "query --payroll": ["select who from facts"],
    "checks": [],
    "checks --html": ["{folder}/checks.html"],
    "status": [],
    "journey-map": ["{folder}/maps"],
    "export parquet": ["{folder}/parquet"],
    "export parquet --payroll": ["{folder}/parquet"],
    "explain": ["E1", "2026-05"],
    "simulate": ["{folder}", "--period", "2026-05"],
    "calculate": ["2026-05", "--by", "ann"],
    "verify": [],
    "rollback": ["a", "--reason", "trial"],
}


@pytest.mark.parametrize("name", ["marts.duckdb", "incentives.duckdb"])
def test_a_log_made_from_a_released_file_is_read_by_no_command(
    company: Company,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    release = publish(company, sealed(company, "a"))
    copy = tmp_path / name
    shutil.copy(release.folder / name, copy)
    subprocess.run([sys.executable, "-c", FORGER, str(copy)], check=True)
    log = shutil.copy(f"{copy}.wal", release.folder)
    # Whoever opens the file by its path is told what the log says.
    with duckdb.connect(str(release.folder / name), read_only=True) as reader:
        assert reader.execute("select who from facts").fetchall() == [("forged",)]
    monkeypatch.setenv("SCORECARD_COMPANY", str(company.folder))
    for command, arguments in COMMANDS.items():
        given = [argument.format(folder=tmp_path) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["scorecard", *command.split(), *given])
        with pytest.raises(SystemExit) as ended:
            main()
        output = "".join(capsys.readouterr())
        assert ended.value.code == 1, command
        assert f"{log}: a write-ahead log" in output, command
    publications = CliRunner().invoke(app, ["publications", "--json"])
    assert publications.exit_code == 1
    (listed,) = json.loads(publications.stdout)["rows"]
    assert f"{log}: a write-ahead log" in listed["problem"]
    with pytest.raises(PublishRefused, match="a write-ahead log"):
        plan_night(company, land(company), date(2026, 1, 1))
    os.remove(log)
    assert json.loads(scorecard(company, "query", "select who from facts", "--json")) == [{"who": "a"}]


SWAP = """
import os, signal, sys
from pathlib import Path
from orchestration.publishing import files, release
from orchestration.settings import load_company
from orchestration.publishing.candidate import Candidate, candidates_dir
from datetime import date, datetime
folder, release_id, dies_at = sys.argv[1:]
company, calls = load_company(folder), [0]
def counted(function):
    def wrapper(*arguments, **options):
        if calls[0] == int(dies_at):
            os.kill(os.getpid(), signal.SIGKILL)
        calls[0] += 1
        return function(*arguments, **options)
    return wrapper
for name in ("open", "fsync", "rename", "symlink", "replace"):
    setattr(os, name, counted(getattr(os, name)))
day = date(2026, 1, 1)
release.publish(company, Candidate(release_id, candidates_dir(company) / release_id, day, "run", "code", "policy",
                                   "inputs", datetime(2026, 1, 2)))
"""


def test_a_kill_between_any_two_system_calls_of_the_swap_leaves_old_or_new(company: Company) -> None:
    publish(company, sealed(company, "r00"))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_DIR)}
    seen = []
    for dies_at in range(40):
        release_id = f"r{dies_at + 1:02}"
        sealed(company, release_id)
        process = subprocess.run(
            [sys.executable, "-c", SWAP, str(company.folder), release_id, str(dies_at)], env=environment, check=False
        )
        current = current_release(company)
        assert current is not None
        verify_release(current)
        with duckdb.connect(str(current.marts_path), read_only=True) as reader:
            assert reader.execute("select who from facts").fetchall() == [(current.release_id,)]
        seen.append(current.release_id)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
    # Killed at every call, some before the swap and some after it, and the last one was not killed any more.
    assert process.returncode == 0
    assert seen[-1] == release_id
    assert seen[0] == "r00"
    assert seen == sorted(seen)


READER = """
import os, sys, duckdb
path, stop = sys.argv[1:]
last = None
while not os.path.exists(stop):
    with duckdb.connect(path, read_only=True) as reader:
        seen = reader.execute("select who, (select release_id from meta.publication) from facts").fetchall()
    if seen != last:
        print(*seen[0], flush=True)
    last = seen
"""


def test_readers_in_other_processes_see_whole_releases_in_order(company: Company, tmp_path: Path) -> None:
    publish(company, sealed(company, "r000"))
    stop = tmp_path / "stop"
    path = company.published_dir / "current" / "marts.duckdb"
    readers = [
        subprocess.Popen([sys.executable, "-c", READER, str(path), str(stop)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [reader.stdout for reader in readers if reader.stdout is not None]
    assert [output.readline() for output in outputs] == ["r000 r000\n"] * 2
    pinned = duckdb.connect(str(path), read_only=True)
    for number in range(1, 101):
        publish(company, sealed(company, f"r{number:03}"))
        drop_old_releases(replace(company, releases_kept=2))
    stop.touch()
    for reader, output in zip(readers, outputs, strict=True):
        rows = [line.split() for line in output]
        assert reader.wait(timeout=60) == 0
        assert all(who == release for who, release in rows)
        assert len(rows) > 1
        assert [who for who, _ in rows] == sorted({who for who, _ in rows})
    # A connection keeps the release that it opened, though that one is gone by now.
    assert pinned.execute("select who from facts").fetchall() == [("r000",)]
    pinned.close()


@pytest.mark.parametrize(("setting", "kept"), [("", 7), ("releases_kept: 3\n", 3)])
def test_so_many_releases_are_kept_as_company_yml_says_and_seven_by_default(
    company: Company, setting: str, kept: int
) -> None:
    path = company.folder / "company.yml"
    path.write_text(path.read_text(encoding="utf-8") + setting, encoding="utf-8")
    company = load_company(company.folder)
    for number in range(9):
        publish(company, sealed(company, f"r{number}"))
        drop_old_releases(company)
    listed = json.loads(scorecard(company, "publications", "--json"))
    assert [entry["release_id"] for entry in listed] == [f"r{number}" for number in range(8, 8 - kept, -1)]
    assert [entry["release_id"] for entry in listed if entry["is_current"]] == ["r8"]
    assert all(not entry["problem"] for entry in listed)


def test_damage_is_listed_by_release_and_in_the_one_in_place_is_exit_code_1(company: Company) -> None:
    for name in ("a", "b"):
        publish(company, sealed(company, name))

    def damage(release_id: str) -> None:
        path = company.published_dir / "releases" / release_id / "marts.duckdb"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    damage("a")
    listed = json.loads(scorecard(company, "publications", "--json"))
    assert [(entry["release_id"], bool(entry["problem"])) for entry in listed] == [("b", False), ("a", True)]
    damage("b")
    result = CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, ["publications", "--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert "the release in place, b, is damaged" in answer["error"]
    assert [(entry["release_id"], bool(entry["problem"])) for entry in answer["rows"]] == [("b", True), ("a", True)]


def test_whatever_a_query_finds_is_json(company: Company) -> None:
    publish(company, sealed(company, "a"))
    sql = (
        "select 'nan'::double as no_number, 0.5::double as share, map {date '2026-01-31': 1.50} as by_day, "
        "[null, timestamp '2026-01-31 02:00:00'] as times, 1e-9::decimal(18, 9) as amount"
    )

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    (row,) = json.loads(scorecard(company, "query", sql, "--json"), parse_constant=refuse)
    assert row == {
        "no_number": "nan", "share": 0.5, "by_day": {"2026-01-31": "1.50"}, "times": [None, "2026-01-31T02:00:00"],
        "amount": "0.000000001",
    }  # fmt: skip


def test_a_link_to_no_release_is_said(company: Company) -> None:
    release = publish(company, sealed(company, "a"))
    release.folder.rename(company.data_dir / "elsewhere")
    assert "which is no release" in scorecard(company, "publications", exit_code=1)


@pytest.mark.parametrize("command", [["status"], ["checks"], ["query", "select 1"], ["journey-map", "maps"]])
def test_a_file_that_cannot_be_opened_is_a_message(company: Company, command: list[str]) -> None:
    release = publish(company, sealed(company, "a"))
    release.marts_path.write_bytes(b"no database" * 1000)
    result = CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, [*command, "--json"])
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "marts.duckdb" in json.loads(result.stdout)["error"]


def test_a_rollback_passes_over_a_damaged_release_and_keeps_who_and_why(company: Company) -> None:
    for name in ("a", "b", "c"):
        publish(company, sealed(company, name))
    damaged = company.published_dir / "releases" / "b" / "marts.duckdb"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert [entry.release_id for entry in list_publications(company) if entry.problem] == ["b"]
    with pytest.raises(PublishRefused, match="is not the file that was checked"):
        rollback(company, "b", "ann", "trial")
    scorecard(company, "rollback", "--reason", "wrong targets", "--by", "ann")
    current = current_release(company)
    assert current is not None
    assert current.release_id == "a"
    entry = json.loads((company.state_dir / "rollbacks.jsonl").read_text(encoding="utf-8"))
    assert (entry["from"], entry["to"], entry["by"], entry["reason"]) == ("c", "a", "ann", "wrong targets")
    scorecard(company, "rollback", "--reason", "no more", exit_code=1)


@pytest.mark.parametrize("release_id", ["..", "../releases/a", "", "nothing", "/etc"])
def test_a_rollback_to_something_that_is_no_release_is_refused(company: Company, release_id: str) -> None:
    publish(company, sealed(company, "a"))
    with pytest.raises(PublishRefused, match="no such release"):
        rollback(company, release_id, "ann", "trial")


def test_no_rollback_while_a_night_runs(company: Company) -> None:
    publish(company, sealed(company, "a"))
    hold = (
        "import sys\nfrom pathlib import Path\nfrom orchestration.lock import night_lock\n"
        "with night_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(company.lock_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert "another night is running" in scorecard(company, "rollback", "--reason", "x", exit_code=75)
        holder.communicate("")
    with night_lock(company.lock_path):
        pass


EXTENSION = f"duckdb_extension_httpfs/extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
FILES = "operations are disabled by configuration"
LOCKED = "the configuration has been locked"
READ_ONLY = "attached in read-only mode"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("from read_text('{folder}/secret.csv')", FILES),
        ("from read_csv('{folder}/secret.csv')", FILES),
        ("from '{folder}/secret.csv'", FILES),
        ("from read_blob('{folder}/incentives.duckdb')", FILES),
        ("from query('from read_text(''{folder}/secret.csv'')')", FILES),
        ("from read_text('{folder}/secret.csv'); select 1", FILES),
        ("from glob('{folder}/*')", FILES),
        ("copy (select 1) to '{folder}/secret.csv'", FILES),
        ("prepare p as copy facts to '{folder}/new.csv'; execute p", FILES),
        ("attach '{folder}/other.duckdb' as other", FILES),
        ("attach '{folder}/other.duckdb' as other (read_only)", FILES),
        ("attach '{folder}/incentives.duckdb' as pay (read_only)", FILES),
        ("attach '{folder}/new.duckdb' as new", FILES),
        ("use memory; detach release; attach '{folder}/incentives.duckdb' as pay (read_only)", FILES),
        ("export database '{folder}/exported'", FILES),
        ("load '{extension}'", "Loading external extensions is disabled"),
        ("set lock_configuration = false", LOCKED),
        ("pragma temp_directory='{folder}/spill'", LOCKED),
        ("set secret_directory = '{folder}/secrets'", LOCKED),
        ("set log_query_path = '{folder}/queries'", LOCKED),
        ("set memory_limit = '100GB'", LOCKED),
        ("create table facts2 as select 1", READ_ONLY),
        ("delete from facts", READ_ONLY),
    ],
)
def test_the_reader_for_people_cannot_leave_its_file(company: Company, tmp_path: Path, sql: str, reason: str) -> None:
    release = publish(company, sealed(company, "a"))
    (release.folder / "secret.csv").write_text("secret\n", encoding="utf-8")
    with duckdb.connect(str(release.folder / "other.duckdb")) as other:
        other.execute("create table facts as select 'other' as who")
    free = Path(shutil.copytree(release.folder, tmp_path / "free"))
    package = importlib.util.find_spec("duckdb_extension_httpfs")
    assert package is not None and package.origin is not None
    extension = Path(package.origin).parents[1] / EXTENSION
    before = {path: path.read_bytes() for path in release.folder.iterdir()}
    with open_locked_down(release.marts_path) as connection, pytest.raises(duckdb.Error, match=reason):
        connection.execute(sql.format(folder=release.folder, extension=extension)).fetchall()
    assert {path: path.read_bytes() for path in release.folder.iterdir()} == before
    # Nothing but the reader stands in the way.
    with duckdb.connect() as connection:
        connection.execute(f"attach '{free / release.marts_path.name}' as release")
        connection.execute("use release")
        connection.execute(sql.format(folder=free, extension=extension)).fetchall()


def test_people_ask_the_release_and_see_the_gate(company: Company) -> None:
    publish(company, sealed(company, "a"))
    assert json.loads(scorecard(company, "query", "select who from facts", "--json")) == [{"who": "a"}]
    assert json.loads(scorecard(company, "query", "--payroll", "select who from facts", "--json")) == [{"who": "a"}]
    assert "secret" not in scorecard(company, "query", "from read_text('/etc/hostname')", exit_code=1)
    results = json.loads(scorecard(company, "checks", "--json"))
    assert {result["scope"] for result in results} == {"marts", "incentives"}
    assert json.loads(scorecard(company, "checks", "--failed", "--json")) == []


def test_rows_at_fault_are_kept_for_the_owner_alone(company: Company) -> None:
    rows = FailingRows("statements.pay_each_day_once", ("employee_id", "amount"), (("e1", 5), ("[red]e2", 6)))
    save_failing_rows(company, "a", [rows])
    path = company.state_dir / "failing_rows" / "a" / "statements.pay_each_day_once.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    shown = json.loads(scorecard(company, "checks", "--rows", "statements.pay_each_day_once", "--json"))
    assert shown == [{"employee_id": "e1", "amount": "5"}, {"employee_id": "[red]e2", "amount": "6"}]
    assert "[red]e2" in scorecard(company, "checks", "--rows", "statements.pay_each_day_once")
    scorecard(company, "checks", "--rows", "../../../company", exit_code=2)
