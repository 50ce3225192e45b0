"""What the steps of one night tell each other, as small files below the company's private state folder.

Steps may run in one process (the command line) or in one that Dagster started (schedule, user interface): files serve
both, and stay for whoever asks next morning.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from orchestration.ledger.chain import Head
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.files import write_durably
from orchestration.settings import Company

Outcome = Literal["published", "published_without_incentives", "unchanged", "failed"]


@dataclass
class NightReport:
    """What a night did. ``outcome`` is ``failed`` until a step says otherwise: a night that dies has failed.

    ``checks_gone`` are those that the release in place before it had to pass and this one had not.
    """

    outcome: Outcome = "failed"
    as_of: str | None = None
    release_id: str | None = None
    landing: dict[str, Any] = field(default_factory=dict)
    built: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    checks_gone: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def save_report(company: Company, report: NightReport) -> None:
    """Keep the report of the night that is running."""
    company.state_dir.mkdir(parents=True, exist_ok=True)
    write_durably(_report_path(company), json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n")


def load_report(company: Company) -> NightReport:
    """The report of the last night; an empty, failed one when there was none, or when it is damaged, which it then says."""
    path = _report_path(company)
    try:
        return NightReport(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else NightReport()
    except (ValueError, TypeError):
        return NightReport(reasons=[f"{path} is damaged and counts as none"])


def begin_report(company: Company) -> None:
    """Another night begins: what steps have noted stays for those that are run again, and how the last one ended is no longer
    said, be the disk so full that nothing can be written in its place.
    """
    report = load_report(company)
    _report_path(company).unlink(missing_ok=True)
    with suppress(OSError):
        save_report(company, replace(report, outcome="failed", release_id=None, checks_gone=[], reasons=[]))


def save_candidate(company: Company, candidate: Candidate) -> None:
    """Note which candidate the night works on."""
    fields = asdict(candidate) | {
        "folder": str(candidate.folder),
        "as_of": candidate.as_of.isoformat(),
        "built_at": candidate.built_at.isoformat(),
    }
    write_durably(_candidate_path(company), json.dumps(fields, indent=1) + "\n")


def candidate_is_planned(company: Company) -> bool:
    """Whether any night of this company came as far as planning a release."""
    return _candidate_path(company).is_file()


def load_candidate(company: Company) -> Candidate:
    """The candidate the night works on.

    Raises:
        FileNotFoundError: no night planned one.

    """
    fields = json.loads(_candidate_path(company).read_text(encoding="utf-8"))
    return Candidate(
        **fields
        | {
            "folder": Path(fields["folder"]),
            "as_of": date.fromisoformat(fields["as_of"]),
            "built_at": datetime.fromisoformat(fields["built_at"]),
            "ledger_head": Head(**fields["ledger_head"]),
        }
    )


def _report_path(company: Company) -> Path:
    return company.state_dir / "last_night.json"


def _candidate_path(company: Company) -> Path:
    return company.state_dir / "candidate.json"
