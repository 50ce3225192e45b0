"""Releases kept: which there are, whether each is whole, and the way back to an earlier one."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime

import duckdb

from expectations.verdict import VerdictError, read_verdict, verify_marts
from orchestration.publishing.files import swap_symlink, sync_file
from orchestration.publishing.release import VERDICT_FILE, PublishRefused, Release, current_release, verify_release
from orchestration.settings import Company


@dataclass(frozen=True)
class Publication:
    """One release kept. ``problem`` says what is wrong with its bytes; empty when they are those that were checked."""

    release_id: str
    is_current: bool
    as_of: date | None
    built_at: datetime | None
    gate_state: str | None
    incentives_release_id: str | None
    problem: str


def list_publications(company: Company) -> list[Publication]:
    """Every release kept, the newest first, each compared byte for byte with its verdict."""
    folder = company.published_dir / "releases"
    current = (company.published_dir / "current").resolve()
    names = sorted((path.name for path in folder.iterdir() if path.is_dir()), reverse=True) if folder.is_dir() else []
    publications = []
    for name in names:
        try:
            as_of, built_at, gate_state, paid_from = _facts(verified_release(company, name))
            publications.append(Publication(name, folder / name == current, as_of, built_at, gate_state, paid_from, ""))
        except (PublishRefused, duckdb.Error) as error:
            publications.append(Publication(name, folder / name == current, None, None, None, None, str(error)))
    return publications


def verified_release(company: Company, release_id: str) -> Release:
    """A release kept, after comparing its bytes with its verdict and reading its check results again.

    The checks demanded are those of its own night: a rule written since does not make an old release bad.

    Raises:
        PublishRefused: there is no such release, or it is not the one that was checked.

    """
    releases = company.published_dir / "releases"
    folder = releases / release_id
    known = {path.name for path in releases.iterdir() if path.is_dir()} if releases.is_dir() else set()
    if release_id not in known or folder.is_symlink():
        raise PublishRefused(f"{release_id}: there is no such release; scorecard publications lists those kept")
    try:
        release = Release(folder, read_verdict(folder / VERDICT_FILE))
        if release.verdict.release_id != release_id:
            raise PublishRefused(f"{folder}: the verdict is of release {release.verdict.release_id}")
        verify_release(release)
        verify_marts(release.marts_path, release.verdict, by_todays_rules=False)
    except VerdictError as error:
        raise PublishRefused(str(error)) from error
    return release


def _facts(release: Release) -> tuple[date, datetime, str, str | None]:
    with duckdb.connect(str(release.marts_path), read_only=True) as connection:
        row = connection.execute(
            "select as_of, built_at, gate_state, incentives_release_id from meta.publication"
        ).fetchall()[0]
    return row[0], row[1], row[2], row[3]


def rollback(company: Company, release_id: str | None, by: str, reason: str) -> Release:
    """Point ``current`` at an earlier release, by default at the newest before it that is whole. The caller holds the
    night lock. The next night builds anew whatever its inputs are; who went back and why is kept in ``rollbacks.jsonl``.

    Raises:
        PublishRefused: there is nothing to go back to, or the release chosen is damaged; nothing was changed.

    """
    current = (company.published_dir / "current").resolve().name
    if release_id is None:
        earlier = [entry for entry in list_publications(company) if entry.release_id < current and not entry.problem]
        if not earlier:
            raise PublishRefused(f"there is no whole release before {current}")
        release_id = earlier[0].release_id
    release = verified_release(company, release_id)
    entry = {"at": datetime.now(UTC).isoformat(), "from": current, "to": release_id, "by": by, "reason": reason}
    path = company.state_dir / "rollbacks.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
    sync_file(path)
    swap_symlink(company.published_dir / "current", os.path.join("releases", release_id))
    return release


def leave_damaged(company: Company) -> str:
    """Lead readers away from a release in place whose bytes are no longer those that were checked, to the newest that is
    whole: no night may compare with it, carry its pay on, or leave readers on it. The caller holds the night lock. Returns
    what was found and done; empty when the release in place is whole, or when there is none.

    Raises:
        PublishRefused: there is no whole release to go back to; nothing was changed.

    """
    try:
        release = current_release(company)
        if release is not None:
            verify_release(release)
    except PublishRefused as damage:
        try:
            whole = rollback(company, None, "the night", str(damage))
        except PublishRefused as error:
            raise PublishRefused(f"{damage}; {error}") from damage
        return f"{damage}; readers have release {whole.release_id} again"
    return ""
