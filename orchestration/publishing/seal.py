"""Closes a candidate: decides from the saved check results, writes ``meta`` into the files, hashes them, and leaves the
verdict beside them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expectations.checks import CheckResult, Scope, decide, load_results
from expectations.verdict import Verdict, write_verdict_text
from orchestration.apart import SeparateProcess
from orchestration.pay_file import attach_file
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.checks_page import PAGE_FILE, render_checks
from orchestration.publishing.files import sha256_of, write_durably
from orchestration.publishing.release import VERDICT_FILE, PublishRefused, carry_incentives
from orchestration.settings import Company
from orchestration.sql_text import literal

# Type and meaning of each column of the two tables that are written here and are no dbt models.
PUBLICATION = {
    "release_id": ("varchar", "Name of the release; the folder under published/releases."),
    "run_id": ("varchar", "The run that built it."),
    "as_of": ("date", "The last business day the figures know of."),
    "code_version": ("varchar", "Hash of the models, macros, gate and orchestration that computed it."),
    "policy_hash": ("varchar", "Hash of the policy seeds."),
    "inputs_hash": ("varchar", "Hash of data, policy, code and day: equal inputs give equal tables."),
    "built_at": ("timestamp", "When it was built, UTC."),
    "gate_state": (
        "varchar",
        "green; incentives_held: the night's pay was refused and the last good pay is carried; within_the_day: survey tables "
        "refreshed since the night night_release_id, all else and the pay are as that night left them.",
    ),
    "night_release_id": (
        "varchar",
        "Release of the night that computed what was not refreshed since; itself for a night.",
    ),
    "incentives_release_id": ("varchar", "Release whose night computed the incentives; null when there are none yet."),
    "reasons": ("varchar", "Why the incentives were held; null when they were not."),
    "ledger_entries": ("bigint", "Entries of the ledger of closed periods when the night began."),
    "ledger_head": (
        "varchar",
        "Hash of the last of them: a ledger that was cut off or rewritten since does not have it.",
    ),
}
CHECK_RESULTS = {
    "name": ("varchar", "Name of the check, unique in a release."),
    "scope": ("varchar", "What a failure stops: marts (the whole release) or incentives."),
    "table_name": ("varchar", "Table that was checked."),
    "kind": ("varchar", "What checked: dbt_test, rule, expectation or policy."),
    "version": ("integer", "Version of the rule."),
    "checked": ("bigint", "Rows looked at; null where the check does not count them."),
    "failed": ("bigint", "Rows at fault."),
    "observed": ("varchar", "What was measured; left out here for checks of pay."),
    "threshold": ("varchar", "What was allowed."),
    "passed": ("boolean", "Whether the check passed; one that did not run has not."),
    "message": ("varchar", "What is wrong, in words; empty when it passed."),
}


@dataclass(frozen=True)
class Sealed:
    """What the checks came to. ``incentives_reasons`` is empty when the release pays from its own night."""

    verdict: Verdict
    results: list[CheckResult]
    incentives_reasons: list[str]


def checks_dir(company: Company, release_id: str) -> Path:
    """Where the parts of a night's check results are collected; beside the candidate, not inside it."""
    return company.state_dir / "checks" / release_id


def record_checked_file(company: Company, release_id: str, path: Path) -> None:
    """Note the hash of a candidate file at the moment it was audited."""
    folder = checks_dir(company, release_id)
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / f"{path.name}.audited.json", json.dumps({"sha256": sha256_of(path)}))


def _require_audited(company: Company, release_id: str, path: Path) -> None:
    note = checks_dir(company, release_id) / f"{path.name}.audited.json"
    if not note.is_file():
        raise PublishRefused(f"{path}: was never audited")
    if json.loads(note.read_text(encoding="utf-8"))["sha256"] != sha256_of(path):
        raise PublishRefused(f"{path}: was changed after it was audited")


def seal(company: Company, candidate: Candidate, required: dict[Scope, set[str]], process: SeparateProcess) -> Sealed:
    """Decide, write ``meta.check_results`` and ``meta.publication``, hash, and write the verdict. ``process`` opens the file
    for BI, as in :func:`~orchestration.publishing.candidate.write_marts`.

    When the incentives are not green the candidate carries the last good ones, and ``meta.publication`` says so.

    Raises:
        PublishRefused: the marts are not green, or a file was changed after its audit; nothing is published.
        ProcessDied: the process was killed; nothing is published.

    """
    results = load_results(checks_dir(company, candidate.release_id))
    by_scope = {scope: [result for result in results if result.scope == scope] for scope in required}
    if reasons := decide(required["marts"], by_scope["marts"]):
        raise PublishRefused("marts are not green:\n  " + "\n  ".join(reasons))
    _require_audited(company, candidate.release_id, candidate.marts_path)

    incentives_reasons = decide(required["incentives"], by_scope["incentives"])
    incentives_release_id: str | None = candidate.release_id
    if not incentives_reasons:
        _require_audited(company, candidate.release_id, candidate.incentives_path)
        _write_meta(candidate.incentives_path, candidate, candidate.release_id, [], by_scope["incentives"])
    else:
        incentives_release_id = carry_incentives(company, candidate)
        if incentives_release_id is not None:
            _say_carried(candidate, incentives_reasons)
    return _finish(candidate, required, results, incentives_release_id, incentives_reasons, process)


def seal_refresh(
    company: Company,
    candidate: Candidate,
    required: dict[Scope, set[str]],
    night_release_id: str,
    reasons: list[str],
    process: SeparateProcess,
) -> Sealed:
    """Close a refresh within the day: the marts must be green by all their checks, those that the night has passed on
    tables that stand and those that ran again; the pay is that of the release in place, byte for byte but for the name
    of the release it lies in. ``reasons`` are those of the night, where its pay was held; ``process`` opens the file for BI.

    Raises:
        PublishRefused: the marts are not green, or a file was changed after its audit; nothing is published.
        ProcessDied: the process was killed; nothing is published.

    """
    results = load_results(checks_dir(company, candidate.release_id))
    if faults := decide(required["marts"], (result for result in results if result.scope == "marts")):
        raise PublishRefused("marts are not green:\n  " + "\n  ".join(faults))
    _require_audited(company, candidate.release_id, candidate.marts_path)
    incentives_release_id = carry_incentives(company, candidate)
    if incentives_release_id is not None:
        _rename_release(candidate)
    return _finish(candidate, required, results, incentives_release_id, reasons, process, night_release_id)


def _finish(
    candidate: Candidate,
    required: dict[Scope, set[str]],
    results: list[CheckResult],
    incentives_release_id: str | None,
    reasons: list[str],
    process: SeparateProcess,
    night_release_id: str | None = None,
) -> Sealed:
    # What the checks of pay observed are sums of pay: they stand beside the pay, not in the file that BI reads.
    shown = [replace(result, observed=None) if result.scope == "incentives" else result for result in results]
    process.call(_write_meta, candidate.marts_path, candidate, incentives_release_id, reasons, shown, night_release_id)
    has_incentives = candidate.incentives_path.exists()
    verdict = Verdict(
        release_id=candidate.release_id,
        marts_sha256=sha256_of(candidate.marts_path),
        incentives_sha256=sha256_of(candidate.incentives_path) if has_incentives else None,
        incentives_release_id=incentives_release_id,
        required_marts=tuple(sorted(required["marts"])),
        required_incentives=tuple(sorted(required["incentives"])),
    )
    write_durably(candidate.folder / VERDICT_FILE, write_verdict_text(verdict))
    facts = {
        "as of": candidate.as_of.isoformat(),
        "built": f"{candidate.built_at:%Y-%m-%d %H:%M} UTC",
        "pay of": incentives_release_id or "no release yet",
    }
    page = render_checks(f"release {candidate.release_id}", facts, shown, reasons)
    (candidate.folder / PAGE_FILE).write_text(page, encoding="utf-8")
    return Sealed(verdict, results, reasons)


def _rename_release(candidate: Candidate) -> None:
    """Pay that lies in another release names that one."""
    connection = duckdb.connect()
    try:
        attach_file(connection, candidate.incentives_path, "release")
        connection.execute("update release.meta.publication set release_id = ?", [candidate.release_id])
        connection.execute("detach release")
    finally:
        connection.close()


def _say_carried(candidate: Candidate, reasons: list[str]) -> None:
    """Carried pay names the release it lies in; day, run, inputs and check results stay those of its own night."""
    connection = duckdb.connect()
    try:
        attach_file(connection, candidate.incentives_path, "release")
        connection.execute(
            "update release.meta.publication set release_id = ?, gate_state = 'incentives_held', reasons = ?",
            [candidate.release_id, "; ".join(reasons)],
        )
        connection.execute("detach release")
    finally:
        connection.close()


def _write_meta(
    path: Path,
    candidate: Candidate,
    incentives_release_id: str | None,
    reasons: list[str],
    results: list[CheckResult],
    night_release_id: str | None = None,
) -> None:
    gate_state = "within_the_day" if night_release_id else "incentives_held" if reasons else "green"
    publication = [
        candidate.release_id, candidate.run_id, candidate.as_of, candidate.code_version, candidate.policy_hash,
        candidate.inputs_hash, candidate.built_at, gate_state, night_release_id or candidate.release_id, incentives_release_id,
        "; ".join(reasons) or None, candidate.ledger_head.sequence, candidate.ledger_head.entry_hash,
    ]  # fmt: skip
    checks = [[getattr(result, name) for name in CHECK_RESULTS] for result in results]
    connection = duckdb.connect()
    try:
        attach_file(connection, path, "release")
        connection.execute("create schema if not exists release.meta")
        _write_table(
            connection, "publication", "One row: which night this file is and what the gate said.", PUBLICATION,
            [publication],
        )  # fmt: skip
        _write_table(connection, "check_results", "One row per check of this night.", CHECK_RESULTS, checks)
        connection.execute("detach release")
    finally:
        connection.close()


def _write_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    description: str,
    columns: dict[str, tuple[str, str]],
    rows: list[list[Any]],
) -> None:
    table = f"release.meta.{name}"
    # In one go: every comment on a column would wait for the disk on its own.
    connection.execute("begin")
    types = ", ".join(f"{column} {kind}" for column, (kind, _) in columns.items())
    connection.execute(f"create or replace table {table} ({types})")
    if rows:
        given = pa.table(dict(zip(columns, map(pa.array, zip(*rows, strict=True)), strict=True)))
        connection.register("given_rows", given)
        connection.execute(f"insert into {table} by name select * from given_rows")
        connection.unregister("given_rows")
    connection.execute(f"comment on table {table} is {literal(description)}")
    for column, (_, text) in columns.items():
        connection.execute(f"comment on column {table}.{column} is {literal(text)}")
    connection.execute("commit")
