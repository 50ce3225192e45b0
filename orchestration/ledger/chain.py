"""The chain: each entry carries the hash of the one before it, so that none can be changed, moved or taken out unseen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from orchestration.ledger.canonical import canonical_json, sha256_text
from orchestration.ledger.errors import LedgerDamaged

GENESIS = "0" * 64


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many entries, and the hash of the last."""

    sequence: int = 0
    entry_hash: str = GENESIS


@dataclass(frozen=True)
class Entry:
    """One entry. ``body`` is canonical JSON, as hashed."""

    sequence: int
    recorded_at: str
    kind: str
    actor: str
    body: str
    previous_hash: str
    entry_hash: str

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields."""
        content: dict[str, Any] = json.loads(self.body)
        return content

    def computed_hash(self) -> str:
        """What ``entry_hash`` must be."""
        return sha256_text(
            canonical_json([self.sequence, self.recorded_at, self.kind, self.actor, self.body, self.previous_hash])
        )

    def __str__(self) -> str:
        return f"entry {self.sequence} ({self.kind} by {self.actor}, {self.recorded_at})"


def check_chain(entries: list[Entry], *notes: Head | None, where: str = "the ledger") -> None:
    """Recompute every entry and hold the chain against heads noted elsewhere.

    Raises:
        LedgerDamaged: naming the first entry at fault.

    """
    expected, previous_hash = 1, GENESIS
    for entry in entries:
        if entry.sequence != expected:
            raise LedgerDamaged(f"{where}: entry {expected} is missing: {entry} follows entry {expected - 1}")
        if entry.computed_hash() != entry.entry_hash:
            raise LedgerDamaged(f"{where}: {entry} was changed or moved: its content does not give its hash")
        if entry.previous_hash != previous_hash:
            raise LedgerDamaged(f"{where}: {entry} does not follow the entry before it: one was replaced or moved")
        expected, previous_hash = expected + 1, entry.entry_hash
    for note in notes:
        if note is None or note.sequence == 0:
            continue
        if note.sequence > len(entries):
            raise LedgerDamaged(
                f"{where}: entry {len(entries) + 1} is missing: the end was cut off; "
                f"entry {note.sequence} was noted elsewhere"
            )
        if entries[note.sequence - 1].entry_hash != note.entry_hash:
            raise LedgerDamaged(
                f"{where}: {entries[note.sequence - 1]} is not the one that was noted elsewhere: "
                "the chain was written anew up to or before it"
            )
