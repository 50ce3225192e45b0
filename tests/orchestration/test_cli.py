"""The command line as programs and shells see it: JSON everywhere, exit codes, messages instead of tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.lock import night_lock
from orchestration.settings import PROJECT_DIR, Company
from tests.conftest import FirstNight, copy_company

COMMANDS_ON_NOTHING = [
    (["status"], 0),
    (["periods"], 0),
    (["publications"], 0),
    (["refresh"], 1),
    (["backfill", "--from", "2026-05-01"], 2),
    (["rollback", "--reason", "a test"], 1),
    (["calculate", "2026-05", "--by", "Ann Lee"], 1),
    (["approve", "2026-05", "--by", "Ann Lee"], 1),
    (["close", "2026-05", "--by", "Ann Lee"], 1),
    (["pay", "2026-05", "--by", "Ann Lee"], 1),
    (["release", "H000001", "--reason", "a test", "--by", "Ann Lee"], 1),
    (["simulate", "nowhere", "--period", "2026-05"], 1),
]


def scorecard(company: Company, *arguments: str) -> Result:
    return CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, list(arguments))


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return copy_company(PROJECT_DIR, tmp_path / "company")


@pytest.mark.parametrize(
    ("arguments", "code"),
    COMMANDS_ON_NOTHING,
    ids=lambda value: str(value).split("'")[1] if isinstance(value, list) else "",
)
def test_before_the_first_night_a_command_answers_in_json_or_says_why_not(
    company: Company, arguments: list[str], code: int
) -> None:
    result = scorecard(company, *arguments, "--json")
    assert result.exit_code == code, (result.output, result.exception)
    answer = json.loads(result.stdout)
    if code:
        assert answer["error"] and answer["error"] in result.stderr
        said = scorecard(company, *arguments)
        assert said.exit_code == code
        assert "Traceback" not in said.output and said.stdout == ""


@pytest.mark.parametrize("command", [["checks"], ["query", "select 1"], ["landed"], ["explain", "E1", "2026-05"]])
def test_a_command_without_an_answer_prints_nothing_that_is_no_json(company: Company, command: list[str]) -> None:
    result = scorecard(company, *command, "--json")
    assert result.exit_code != 0
    assert result.stdout == ""
    assert result.stderr and "Traceback" not in result.output


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
def test_after_a_night_every_answer_is_json(first_night: FirstNight) -> None:
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
