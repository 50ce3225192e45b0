"""Closes a candidate: decides from the saved check results, writes ``meta`` into the files, hashes them, and leaves the
verdict beside them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import duckdb

from expectations.checks import CheckResult, Scope, decide, load_results
from expectations.verdict import Verdict, write_verdict_text
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.files import sha256_of, write_durably
from orchestration.publishing.release import VERDICT_FILE, PublishRefused, carry_incentives
from orchestration.settings import Company
from orchestration.sql_text import attach

_COLUMN_TYPES = {
    "name": "varchar", "scope": "varchar", "table_name": "varchar", "kind": "varchar", "version": "integer",
    "checked": "bigint", "failed": "bigint", "observed": "varchar", "threshold": "varchar", "passed": "boolean",
    "message": "varchar",
}  # fmt: skip


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


def seal(company: Company, candidate: Candidate, required: dict[Scope, set[str]]) -> Sealed:
    """Decide, write ``meta.check_results`` and ``meta.publication``, hash, and write the verdict.

    When the incentives are not green the candidate carries the last good ones, and ``meta.publication`` says so.

    Raises:
        PublishRefused: the marts are not green, or a file was changed after its audit; nothing is published.

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
    # What the checks of pay observed are sums of pay: they stand beside the pay, not in the file that BI reads.
    shown = [replace(result, observed=None) if result.scope == "incentives" else result for result in results]
    _write_meta(candidate.marts_path, candidate, incentives_release_id, incentives_reasons, shown)

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
    return Sealed(verdict, results, incentives_reasons)


def _write_meta(
    path: Path,
    candidate: Candidate,
    incentives_release_id: str | None,
    reasons: list[str],
    results: list[CheckResult],
) -> None:
    connection = duckdb.connect()
    try:
        attach(connection, path, "release")
        connection.execute("create schema if not exists release.meta")
        connection.execute(
            """
            create or replace table release.meta.publication as
            select
                ? as release_id, ? as run_id, cast(? as date) as as_of, ? as code_version, ? as policy_hash,
                ? as inputs_hash, cast(? as timestamp) as built_at, ? as gate_state, ? as incentives_release_id,
                ? as reasons
            """,
            [
                candidate.release_id, candidate.run_id, candidate.as_of, candidate.code_version, candidate.policy_hash,
                candidate.inputs_hash, candidate.built_at, "incentives_held" if reasons else "green",
                incentives_release_id, "; ".join(reasons) or None,
            ],
        )  # fmt: skip
        columns = ", ".join(f"{name} {_COLUMN_TYPES[name]}" for name in (field.name for field in fields(CheckResult)))
        connection.execute(f"create or replace table release.meta.check_results ({columns})")
        marks = ", ".join("?" for _ in fields(CheckResult))
        rows = [[getattr(result, field.name) for field in fields(CheckResult)] for result in results]
        connection.executemany(f"insert into release.meta.check_results values ({marks})", rows)
        connection.execute("detach release")
    finally:
        connection.close()
