"""The command line as programs and shells see it: JSON everywhere, exit codes, messages instead of tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.lock import night_lock
from orchestration.nightwatch import heartbeat_path, watched
from orchestration.sample import SampleSpec
from orchestration.settings import PROJECT_DIR, Company
from orchestration.state import NightReport, save_report
from tests.conftest import FirstNight, copy_company

# Every command that answers programs, with arguments that it takes, and how it ends before the first night.
STATEMENT = "S1"
ARGUMENTS: dict[str, tuple[list[str], int]] = {
    "adjust": ([STATEMENT, "csat", "12.50", "--reason", "a test", "--prepared-by", "Ann Lee", "--by", "Bob Ray"], 1),
    "approve": (["2026-05", "--by", "Ann Lee"], 1),
    "backfill": (["--from", "2026-05-01"], 2),
    "calculate": (["2026-05", "--by", "Ann Lee"], 1),
    "checks": ([], 1),
    "close": (["2026-05", "--by", "Ann Lee"], 1),
    "compare": (["nowhere"], 1),
    "dispute assign": (["D000001", "--owner", "Bob Ray", "--due", "2026-07-01", "--by", "Ann Lee"], 1),
    "dispute open": (
        [STATEMENT, "--ground", "wrong_credit", "--text", "a test", "--owner", "Bob Ray", "--due", "2026-07-01"]
        + ["--by", "Ann Lee"],
        1,
    ),
    "dispute resolve": (["D000001", "--outcome", "rejected", "--reason", "a test", "--by", "Ann Lee"], 1),
    "erase": (["C00001", "--reason", "a test"], 2),
    "explain": (["E00001", "2026-05"], 1),
    "export parquet": (["nowhere"], 1),
    "export postgres": (["PATH"], 1),
    "hold": (["E00001", "--reason", "a test", "--by", "Ann Lee"], 1),
    "journey-map": (["nowhere"], 1),
    "landed": ([], 1),
    "map": (["nowhere"], 1),
    "nightly": ([], 0),
    "pay": (["2026-05", "--by", "Ann Lee"], 1),
    "periods": ([], 0),
    "publications": ([], 0),
    "query": (["select 1"], 1),
    "refresh": ([], 1),
    "release": (["H000001", "--reason", "a test", "--by", "Ann Lee"], 1),
    "rollback": (["--reason", "a test"], 1),
    "sample": (["--scale", "0"], 2),
    "simulate": (["nowhere", "--period", "2026-05"], 1),
    "status": ([], 0),
    "verify": ([], 0),
}
WITHOUT_JSON = {"ui": "becomes Dagster's web server, and answers in the browser"}


def scorecard(company: Company, *arguments: str) -> Result:
    return CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, list(arguments))


def error_in_json(result: Result) -> str:
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return str(answer["error"])


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


def commands_of(group: Any, prefix: str = "") -> dict[str, Any]:
    found = {}
    for name, command in group.commands.items():
        found |= commands_of(command, f"{name} ") if hasattr(command, "commands") else {f"{prefix}{name}": command}
    return found


def test_every_command_answers_in_json_but_those_with_a_reason_not_to() -> None:
    commands = commands_of(get_command(app))
    assert commands.keys() == ARGUMENTS.keys() | WITHOUT_JSON.keys()
    without = {name for name, command in commands.items() if not any("--json" in each.opts for each in command.params)}
    assert without == WITHOUT_JSON.keys()


@pytest.mark.parametrize("command", sorted(ARGUMENTS.keys() - {"nightly"}))
def test_before_the_first_night_a_command_answers_in_json_or_says_why_not(company: Company, command: str) -> None:
    arguments, code = ARGUMENTS[command]
    result = scorecard(company, *command.split(), *arguments, "--json")
    assert result.exit_code == code, (result.output, result.exception)
    answer = json.loads(result.stdout)
    if code:
        assert answer["error"] and answer["error"] in result.stderr
        said = scorecard(company, *command.split(), *arguments)
        assert said.exit_code == code
        assert "Traceback" not in said.output and said.stdout == ""


@pytest.mark.parametrize("command", sorted(ARGUMENTS.keys() | WITHOUT_JSON.keys()))
@pytest.mark.parametrize("settings", ["name: [", None], ids=["broken", "missing"])
def test_an_error_of_settings_is_said_in_json_or_to_people_and_is_exit_code_2(
    company: Company, command: str, settings: str | None
) -> None:
    path = company.folder / "company.yml"
    path.unlink()
    if settings is not None:
        path.write_text(settings, encoding="utf-8")
    called = [*command.split(), *ARGUMENTS.get(command, ([], 0))[0]]
    said = scorecard(company, *called)
    assert said.exit_code == 2
    assert said.stdout == "" and said.stderr.startswith(f"{path}: ")
    if command not in WITHOUT_JSON:
        result = scorecard(company, *called, "--json")
        assert result.exit_code == 2
        assert error_in_json(result).startswith(f"{path}: ")


@pytest.mark.parametrize("arguments", [["query"], ["approve", "2026-05"], ["refresh", "--watch", "now"], ["nigthly"]])
def test_wrong_usage_is_said_in_json_too(company: Company, arguments: list[str]) -> None:
    said = scorecard(company, *arguments)
    assert said.exit_code == 2 and said.stdout == "" and said.stderr
    result = scorecard(company, *arguments, "--json")
    assert result.exit_code == 2 and error_in_json(result)


def test_an_error_that_nobody_foresaw_is_said_in_json_and_not_swallowed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.cli.load_report", lambda company: 1 // 0)
    result = scorecard(company, "status", "--json")
    assert result.exit_code == 1 and isinstance(result.exception, ZeroDivisionError)
    assert error_in_json(result).startswith("ZeroDivisionError: ")


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "1e9"])
def test_a_sample_of_no_size_is_refused(company: Company, scale: str) -> None:
    result = scorecard(company, "sample", "--scale", scale, "--json")
    assert result.exit_code == 2
    assert "--scale" in error_in_json(result)
    assert not company.extracts_dir.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\x00\xff"], ids=lambda content: repr(content))
def test_a_damaged_heartbeat_is_said_and_is_not_well(company: Company, content: str) -> None:
    company.state_dir.mkdir()
    heartbeat_path(company).write_text(content, encoding="latin-1")
    result = scorecard(company, "status", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["health"] == "damaged"
    assert str(heartbeat_path(company)) in error_in_json(result)


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00\xff"], ids=lambda content: repr(content))
def test_a_damaged_report_of_the_last_night_is_said_and_counts_as_failed(company: Company, content: str) -> None:
    with watched(company):
        save_report(company, NightReport("published"))
    assert scorecard(company, "status").exit_code == 0
    path = company.state_dir / "last_night.json"
    path.write_text(content, encoding="latin-1")
    result = scorecard(company, "status", "--json")
    assert result.exit_code == 1
    assert f"{path} is damaged" in error_in_json(result)


def test_damaged_notes_of_refreshes_and_nights_are_passed_over(company: Company) -> None:
    with watched(company):
        save_report(company, NightReport("published"))
    (company.state_dir / "last_refresh.json").write_bytes(b"{\x00\xff")
    with (company.state_dir / "nights.jsonl").open("ab") as handle:
        handle.write(b"\xff\x00\n")
    result = scorecard(company, "status", "--json")
    assert result.exit_code == 0
    assert "last_refresh.json is damaged" in result.stderr
    status = json.loads(result.stdout)
    assert status["refresh"] is None and len(status["nights"]) == 1


def test_a_night_that_is_running_is_exit_code_75_in_json_too(company: Company) -> None:
    # flock is per process: the lock of this one would be entered again.
    program = "from orchestration.cli import main; main()"
    with night_lock(company.lock_path):
        for command in ("nightly", "refresh"):
            done = subprocess.run(
                [sys.executable, "-c", program, command, "--json", "--company", str(company.folder)],
                capture_output=True, text=True, check=False, cwd=PROJECT_DIR,
            )  # fmt: skip
            assert done.returncode == 75
            assert f"process {os.getpid()}" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_complete_commands(shell: str) -> None:
    result = CliRunner(env={"_SCORECARD_COMPLETE": f"source_{shell}"}).invoke(app, [], prog_name="scorecard")
    assert result.exit_code == 0
    assert "_SCORECARD_COMPLETE" in result.stdout


@pytest.mark.xdist_group("sample_night")
def test_after_a_night_every_answer_is_json(first_night: FirstNight, tmp_path: Path) -> None:
    assert first_night.run.exit_code == 0, first_night.run.output
    company = first_night.company
    status = json.loads(scorecard(company, "status", "--json").stdout)
    assert status["health"] in ("ok", "late")
    assert status["night"]["outcome"] == status["heartbeat"]["state"] == "published"
    assert status["nights"][-1]["release_id"] == status["release_id"]
    (publication,) = json.loads(scorecard(company, "publications", "--json").stdout)
    assert publication["release_id"] == status["release_id"] and publication["problem"] == ""
    assert all(check["passed"] for check in json.loads(scorecard(company, "checks", "--json").stdout))
    assert json.loads(scorecard(company, "landed", "--json").stdout)
    (row,) = json.loads(scorecard(company, "query", "select count(*) as n from voice.feedback_cases", "--json").stdout)
    assert row["n"] > 100
    page = json.loads(scorecard(company, "checks", "--html", str(tmp_path / "page.html"), "--json").stdout)
    assert page["html"] == str(tmp_path / "page.html") and page["checks"] > 100
    maps = json.loads(scorecard(company, "journey-map", str(tmp_path / "maps"), "--json").stdout)
    assert maps["release_id"] == status["release_id"]
    assert maps["files"] and all(Path(path).is_file() for path in maps["files"])


@pytest.mark.xdist_group("sample_night")
def test_a_comparison_says_in_json_what_differs(first_night: FirstNight, company: Company, tmp_path: Path) -> None:
    with duckdb.connect(str(first_night.files / "marts.duckdb"), read_only=True) as marts:
        stores = dict(marts.execute("select store_id, store_name from core.stores").fetchall())
    query = company.folder / "expected" / "core" / "stores.sql"
    query.parent.mkdir(parents=True)
    query.write_text(
        "select * from read_csv(getvariable('data') || '/stores.csv', all_varchar = true)", encoding="utf-8"
    )

    def compared(renamed: dict[str, str]) -> Result:
        lines = ["store_id,store_name", *(f'{key},"{name}"' for key, name in (stores | renamed).items())]
        (tmp_path / "stores.csv").write_text("\n".join(lines), encoding="utf-8")
        environment = {
            "SCORECARD_COMPANY": str(company.folder),
            "SCORECARD_DATA_DIR": str(first_night.company.data_dir),
        }
        return CliRunner(env=environment).invoke(app, ["compare", str(tmp_path), "--json"])

    equal = compared({})
    assert equal.exit_code == 0, equal.output
    (table,) = json.loads(equal.stdout)["tables"]
    assert (table["table"], table["rows"], table["different"]) == ("core.stores", len(stores), 0)
    first = min(stores)
    different = compared({first: "Another name"})
    assert different.exit_code == 1
    assert error_in_json(different).endswith("differ from what is published: 1")
    assert json.loads(different.stdout)["tables"][0]["examples"] == [
        f"{first}: store_name {stores[first]}, expected Another name"
    ]


def test_a_sample_says_in_json_what_it_wrote(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.sample.SampleSpec", partial(SampleSpec, months=1))
    answer = json.loads(scorecard(company, "sample", "--scale", "0.01", "--json").stdout)
    assert answer["extracts_dir"] == str(company.extracts_dir)
    assert answer["files"] == sum(path.is_file() for path in company.extracts_dir.glob("*/*/*"))
    assert answer["rows"]["hr/employees"] > 0


def test_a_mapping_says_in_json_what_it_wrote(company: Company, tmp_path: Path) -> None:
    query = company.folder / "mapping" / "hr" / "departments.sql"
    query.parent.mkdir(parents=True)
    query.write_text("select 'D1' as department_code, 'Shop' as department_name order by 1", encoding="utf-8")
    for written in (["hr/departments/departments.csv"], []):
        answer = json.loads(scorecard(company, "map", str(tmp_path), "--json").stdout)
        assert answer == {"extracts_dir": str(company.extracts_dir), "written": written}


def test_the_log_of_a_night_is_for_its_owner_and_says_its_end(first_night: FirstNight) -> None:
    (log,) = (first_night.company.state_dir / "logs").iterdir()
    text = log.read_text(encoding="utf-8")
    assert "landing" in text and "published, release" in text
    assert log.stat().st_mode & 0o077 == 0


NIGHT_AT_THE_BARRIER = """
import sys
from orchestration import nightly
from orchestration.cli import main
from orchestration.state import NightReport
def night(company):
    print("running", flush=True)
    sys.stdin.read()
    return NightReport(outcome="unchanged")
nightly.run_nightly = night
print("ready", flush=True)
sys.stdin.readline()
main()
"""


def test_of_five_nights_that_begin_at_once_one_runs_and_four_are_told_so(company: Company) -> None:
    command = [sys.executable, "-c", NIGHT_AT_THE_BARRIER, "nightly", "--company", str(company.folder)]
    nights = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT_DIR
        )
        for _ in range(5)
    ]
    pipes = [(night.stdin, night.stdout) for night in nights if night.stdin is not None and night.stdout is not None]
    assert [output.readline() for _, output in pipes] == ["ready\n"] * 5
    for barrier, _ in pipes:
        barrier.write("\n")
        barrier.flush()
    # Each says one of two things, and the one that runs goes on until it has nothing more to read.
    said = [output.readline() for _, output in pipes]
    running = said.index("running\n")
    assert ["another night is running" in line for line in said] == [place != running for place in range(5)]
    codes = [night.wait() for night in nights if night is not nights[running]]
    pipes[running][0].close()
    assert (nights[running].wait(), codes) == (0, [75] * 4)
