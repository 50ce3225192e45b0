"""Dagster's user interface has no login: it listens on the loopback address, whatever is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dagster._cli.dev import dev_command
from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.settings import PROJECT_DIR
from tests.conftest import copy_company


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that would have taken the place of this process."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execvpe", lambda file, command, environment: commands.append(command))
    # What the command sets for Dagster is taken back after the test.
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.chdir(PROJECT_DIR)
    return commands


def ui(folder: Path, *arguments: str) -> Result:
    company = copy_company(PROJECT_DIR, folder / "company")
    return CliRunner(env={"SCORECARD_COMPANY": str(company.folder)}).invoke(app, ["ui", *arguments])


@pytest.mark.parametrize(("arguments", "port"), [([], "3000"), (["--port", "4000"], "4000")])
def test_it_is_bound_to_the_loopback_address(
    tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, arguments: list[str], port: str
) -> None:
    monkeypatch.setenv("DAGSTER_CLI_DEV_HOST", "0.0.0.0")
    assert ui(tmp_path, *arguments).exit_code == 0
    ((_, name, *options),) = started
    asked = dev_command.make_context(name, options, auto_envvar_prefix="DAGSTER_CLI_DEV").params
    assert name == "dev"
    assert (asked["host"], asked["port"]) == ("127.0.0.1", port)


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["-h", "0.0.0.0"], ["--port", "0.0.0.0:3000"]])
def test_no_option_binds_it_to_another(tmp_path: Path, started: list[list[str]], arguments: list[str]) -> None:
    assert ui(tmp_path, *arguments).exit_code == 2
    assert not started
