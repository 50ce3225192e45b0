"""Who acts: names as given, compared as people read them, and the authors of the policy."""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import date
from pathlib import Path

from orchestration.ledger.errors import Refused


def named(name: str, what: str = "--by") -> str:
    """The name, trimmed.

    Raises:
        Refused: it is empty.

    """
    cleaned = " ".join(name.split())
    if not cleaned:
        raise Refused(f"{what}: who? A name is needed")
    return cleaned


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: case, spaces and the width of letters do not make two people."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def policy_authors(seeds_dir: Path, period_start: date, period_end: date) -> dict[str, str]:
    """The last authors of the policy of a period, each with the seed that names them.

    Of every policy seed, the rows that govern any day of the period; of these, the ones that came into force last; the
    names in ``approved_by`` (several are separated by ``;`` or ``,``).
    """
    authors: dict[str, str] = {}
    for path in sorted((seeds_dir / "policy").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = [
                row
                for row in csv.DictReader(handle)
                if row.get("approved_by")
                and date.fromisoformat(row["valid_from"]) < period_end
                and (not row["valid_to"] or date.fromisoformat(row["valid_to"]) > period_start)
            ]
        last = max((row["valid_from"] for row in rows), default=None)
        for row in rows:
            if row["valid_from"] == last:
                for name in re.split(r"[;,]", row["approved_by"]):
                    if name.strip():
                        authors.setdefault(" ".join(name.split()), path.name)
    return authors
