"""Puts a checked candidate in place, and finds and verifies what is in place.

Layout below ``published/``: ``releases/<id>/`` holds ``marts.duckdb``, ``incentives.duckdb``, ``verdict.json`` and
``checks.html``; ``current`` is a symlink to one of them. A release is never changed after it was put in place.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from expectations.verdict import Verdict, VerdictError, read_verdict, verify_marts, verify_release_id
from orchestration.pay_file import encrypt, is_encrypted, pay_key
from orchestration.publishing.candidate import INCENTIVES_FILE, MARTS_FILE, Candidate
from orchestration.publishing.files import sha256_of, swap_symlink, sync_file, sync_folder
from orchestration.settings import Company

VERDICT_FILE = "verdict.json"
# Of a refresh within the day only the last one counts; one more stays for whoever is just opening it.
REFRESH_SUFFIX = "-day"
_REFRESHES_KEPT = 2


class PublishRefused(Exception):
    """There is no green verdict for exactly these bytes; the message says what does not fit."""


@dataclass(frozen=True)
class Release:
    """A release in place."""

    folder: Path
    verdict: Verdict

    @property
    def release_id(self) -> str:
        """Name of the release and of its folder."""
        return self.folder.name

    @property
    def marts_path(self) -> Path:
        """What BI tools read."""
        return self.folder / MARTS_FILE

    @property
    def incentives_path(self) -> Path:
        """What payroll reads; not there before the first night whose incentives passed."""
        return self.folder / INCENTIVES_FILE


def current_release(company: Company) -> Release | None:
    """The release that ``current`` points at; ``None`` before the first publication.

    Raises:
        PublishRefused: ``current`` points at something that is not a release, or a log lies beside its files.

    """
    link = company.published_dir / "current"
    if not link.is_symlink():
        return None
    folder = link.resolve()
    try:
        release = Release(folder, read_verdict(folder / VERDICT_FILE))
    except VerdictError as error:
        raise PublishRefused(f"{link}: {error}") from error
    refuse_logs(folder)
    return release


def refuse_logs(folder: Path) -> None:
    """Refuse a release whose files would not be read as they are: DuckDB replays a write-ahead log that was made from a file,
    without a word, whoever opens it. No release has one, because its files are closed before they are checked.

    Raises:
        PublishRefused: there is a log.

    """
    if logs := sorted(folder.glob("*.wal*")):
        raise PublishRefused(
            f"{logs[0]}: a write-ahead log beside a finished file: what is in it was never checked; move it out of the folder"
        )


def verify_release(release: Release) -> None:
    """Compare every byte of the release with its verdict.

    Raises:
        PublishRefused: a file is missing or is not the one that was checked, or a log lies beside it.

    """
    refuse_logs(release.folder)
    _verify_file(release.marts_path, release.verdict.marts_sha256)
    _verify_file(release.incentives_path, release.verdict.incentives_sha256)


def _verify_file(path: Path, expected: str | None) -> None:
    if expected is None:
        if path.exists():
            raise PublishRefused(f"{path}: was never checked")
        return
    if not path.is_file():
        raise PublishRefused(f"{path}: is missing")
    if sha256_of(path) != expected:
        raise PublishRefused(f"{path}: is not the file that was checked")


def publish(company: Company, candidate: Candidate) -> Release:
    """Move the candidate into place and point ``current`` at it.

    The verdict is asked for again, here: the hashes of the files as they are now, and the check results inside them,
    must be those of a green verdict. The incentives may be those of an earlier release; then the verdict says so. Both
    files name this release.

    Raises:
        PublishRefused: nothing was changed.

    """
    release = Release(candidate.folder, _read(candidate.folder / VERDICT_FILE))
    if release.verdict.release_id != candidate.release_id:
        raise PublishRefused(f"the verdict is of release {release.verdict.release_id}, not of {candidate.release_id}")
    verify_release(release)
    try:
        verify_marts(release.marts_path, release.verdict)
        if release.verdict.incentives_sha256 is not None:
            verify_release_id(release.incentives_path, release.release_id)
    except VerdictError as error:
        raise PublishRefused(str(error)) from error

    for path in sorted(candidate.folder.iterdir()):
        sync_file(path)
    sync_folder(candidate.folder)
    releases = company.published_dir / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    target = releases / candidate.release_id
    os.rename(candidate.folder, target)
    sync_folder(releases)
    swap_symlink(company.published_dir / "current", f"releases/{candidate.release_id}")
    return Release(target, release.verdict)


def _read(path: Path) -> Verdict:
    try:
        return read_verdict(path)
    except VerdictError as error:
        raise PublishRefused(str(error)) from error


def carry_incentives(company: Company, candidate: Candidate) -> str | None:
    """Copy the last good incentives into the candidate in place of its own; returns the id of the release they were
    computed in, ``None`` when there never were any.

    Raises:
        PublishRefused: the pay in place does not verify; damaged pay is not carried on.

    """
    candidate.incentives_path.unlink(missing_ok=True)
    current = current_release(company)
    if current is None or current.verdict.incentives_sha256 is None:
        return None
    _verify_file(current.incentives_path, current.verdict.incentives_sha256)
    shutil.copyfile(current.incentives_path, candidate.incentives_path)
    os.chmod(candidate.incentives_path, 0o600)
    if pay_key() is not None and not is_encrypted(candidate.incentives_path):
        encrypt(candidate.incentives_path)
    return current.verdict.incentives_release_id


def drop_old_releases(company: Company) -> list[str]:
    """Remove all but the newest ``releases_kept`` releases of nights and the newest two of refreshes within the day, never
    the current one; returns the ids removed.

    A reader that still has a removed file open keeps reading it.
    """
    releases = company.published_dir / "releases"
    current = (company.published_dir / "current").resolve()
    folders = sorted((folder for folder in releases.iterdir() if folder.is_dir()), key=lambda folder: folder.name)
    nights = [folder for folder in folders if not folder.name.endswith(REFRESH_SUFFIX)]
    refreshes = [folder for folder in folders if folder.name.endswith(REFRESH_SUFFIX)]
    old = [folder for folder in nights[: -company.releases_kept] + refreshes[:-_REFRESHES_KEPT] if folder != current]
    for folder in old:
        shutil.rmtree(folder)
    return [folder.name for folder in old]


def drop_releases_but(company: Company, release_id: str) -> list[str]:
    """Remove every release but one; returns the ids removed."""
    folders = sorted((company.published_dir / "releases").iterdir(), key=lambda folder: folder.name)
    old = [folder for folder in folders if folder.name != release_id]
    for folder in old:
        shutil.rmtree(folder)
    sync_folder(company.published_dir / "releases")
    return [folder.name for folder in old]
