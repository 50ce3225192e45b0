"""The verdict on a candidate: which bytes were checked, by which checks, and with what outcome.

The verdict file names the SHA-256 of both files. The check results themselves stand in the marts file
(``meta.check_results``), and whoever relies on a verdict reads them there again: editing the verdict alone turns no red
check green, and editing the file changes its hash.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import duckdb

from expectations.checks import CheckResult, Scope, decide
from orchestration.pay_file import open_file
from orchestration.sql_text import attach


class VerdictError(Exception):
    """The verdict is missing, damaged, or not green for these files."""


@dataclass(frozen=True)
class Verdict:
    """``incentives_release_id`` is the release whose night computed the incentives file: this one, or an earlier one
    where this night's incentives did not pass; both incentives fields are ``None`` before the first that passed.
    """

    release_id: str
    marts_sha256: str
    incentives_sha256: str | None
    incentives_release_id: str | None
    required_marts: tuple[str, ...]
    required_incentives: tuple[str, ...]

    @property
    def incentives_are_new(self) -> bool:
        """Whether the release pays from its own night."""
        return self.incentives_release_id == self.release_id


def write_verdict_text(verdict: Verdict) -> str:
    """The verdict as JSON."""
    return json.dumps(asdict(verdict), indent=1, sort_keys=True) + "\n"


def read_verdict(path: Path) -> Verdict:
    """Read a verdict file.

    Raises:
        VerdictError: it is missing or not of the right form.

    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if set(content) != {field.name for field in fields(Verdict)}:
            raise ValueError("fields are missing or unknown")
        content["required_marts"] = tuple(content["required_marts"])
        content["required_incentives"] = tuple(content["required_incentives"])
        return Verdict(**content)
    except FileNotFoundError as error:
        raise VerdictError(f"{path}: there is no verdict") from error
    except (OSError, ValueError, TypeError) as error:
        raise VerdictError(f"{path}: not a verdict: {error}") from error


def verify_marts(marts_path: Path, verdict: Verdict, by_todays_rules: bool = True) -> None:
    """Read the check results inside the marts file and decide again; ``by_todays_rules`` also demands every check that
    the gate's code has now.

    Raises:
        VerdictError: the file is of another release, or its checks are not green for what the verdict publishes.

    """
    connection = duckdb.connect()
    try:
        attach(connection, marts_path, "release", "read_only")
        names = [field.name for field in fields(CheckResult)]
        rows = connection.execute(f"select {', '.join(names)} from release.meta.check_results").fetchall()
        publications = connection.execute("select release_id from release.meta.publication").fetchall()
    except duckdb.Error as error:
        raise VerdictError(f"{marts_path}: {error}") from error
    finally:
        connection.close()
    results = [CheckResult(*row) for row in rows]
    if publications != [(verdict.release_id,)]:
        raise VerdictError(f"{marts_path}: says it is release {publications}, the verdict is of {verdict.release_id}")
    if reasons := reasons_against("marts", verdict, results, by_todays_rules):
        raise VerdictError(f"{marts_path}: not green: {'; '.join(reasons)}")
    if verdict.incentives_are_new and (reasons := reasons_against("incentives", verdict, results, by_todays_rules)):
        raise VerdictError(f"{marts_path}: incentives are not green: {'; '.join(reasons)}")


def verify_release_id(path: Path, release_id: str) -> None:
    """Hold a file against the release it lies in: a reader of pay must know which figures it belongs to.

    Raises:
        VerdictError: the file names another release, or none.

    """
    try:
        with open_file(path) as connection:
            named = connection.execute("select release_id from meta.publication").fetchall()
    except duckdb.Error as error:
        raise VerdictError(f"{path}: {error}") from error
    if named != [(release_id,)]:
        raise VerdictError(f"{path}: says it is release {named}, not {release_id}")


def reasons_against(
    scope: Scope, verdict: Verdict, results: list[CheckResult], by_todays_rules: bool = True
) -> list[str]:
    """Why the scope is not green. The checks of the gate's own code must be among the verdict's: a verdict that was
    given with a rule deleted is not good enough for code that has it.
    """
    from expectations.gate import gate_check_names

    required = set(verdict.required_marts if scope == "marts" else verdict.required_incentives)
    if by_todays_rules and (missing := gate_check_names(scope) - required):
        return [f"{name}: was not required" for name in sorted(missing)]
    return decide(required, (result for result in results if result.scope == scope))
