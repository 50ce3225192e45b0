"""The list of erasures: which pseudonyms stand for customers who were erased, and the key that makes them.

The list holds no identity, only what a keyed hash (HMAC) makes of it. A plain hash of a customer number is reversed by trying
all numbers; whoever has list and key can do that too, so the key lies in a file of its own, readable by its owner only, or
comes from the environment. Without the key nobody who was erased would be recognised when an extract brings them again:
then nothing is landed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.ledger.store import ledger_dir
from orchestration.publishing.files import sync_folder, write_durably
from orchestration.settings import Company

KEY_VARIABLE = "SCORECARD_ERASURE_KEY"
PREFIX = "erased-"
_SHORTEST_KEY = 32
_REMEMBERED = 1_000_000


class ErasureError(Exception):
    """The list of erasures cannot be used, or a customer cannot be erased; the message says why."""


@dataclass(frozen=True)
class Erasures:
    """``names``: pseudonyms of all who were erased and of their devices. ``pending``: pseudonyms of customers whose data may
    still be in an older release.
    """

    key: bytes = b""
    names: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    pending: tuple[str, ...] = ()
    _known: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)

    def name_of(self, value: str) -> str | None:
        """The pseudonym that takes the place of a customer key or device; ``None`` for whoever was not erased."""
        if value not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            name = pseudonym(self.key, value)
            self._known[value] = name if name in self.names else None
        return self._known[value]

    @property
    def fingerprint(self) -> str:
        """Changes with every erasure, so that each makes a new night."""
        return hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest() if self.names else ""


NOBODY_ERASED = Erasures()


def pseudonym(key: bytes, value: str) -> str:
    """The same for the same value and key, whichever file or night brings the value."""
    return PREFIX + hmac.digest(key, value.encode("utf-8"), "sha256").hex()[:32]


def register_path(company: Company) -> Path:
    """Beside the ledger: like it, it cannot be computed anew."""
    return ledger_dir(company) / "erasures.jsonl"


def key_path(company: Company) -> Path:
    """The key, where the environment does not give one."""
    return ledger_dir(company) / "erasure.key"


def read_erasures(company: Company) -> Erasures:
    """The list as it stands; an empty one before the first erasure.

    Raises:
        ErasureError: the list is damaged, or the key is missing or another one.

    """
    entries = _entries(company)
    if not entries:
        return Erasures()
    key = _read_key(company)
    if key is None:
        raise ErasureError(
            f"{register_path(company)}: customers were erased, and the key is gone: put {key_path(company).name} back beside "
            f"the list, or set {KEY_VARIABLE}; without it they would come back with the next extract"
        )
    if not hmac.compare_digest(_check(key), entries[0]["check"]):
        raise ErasureError(f"{register_path(company)}: the key is not the one that the list was written with")
    customers: dict[str, None] = {}
    names: set[str] = set()
    pending: dict[str, None] = {}
    for entry in entries[1:]:
        for name in entry["customers"]:
            if entry["event"] == "erase":
                customers[name] = pending[name] = None
            else:
                pending.pop(name, None)
        names |= {*entry["customers"], *entry.get("devices", ())}
    return Erasures(key, frozenset(names), frozenset(customers), tuple(pending))


def key_for_erasing(company: Company) -> bytes:
    """The key, made and kept where there is none yet.

    Raises:
        ErasureError: as ``read_erasures``.

    """
    if _entries(company):
        return read_erasures(company).key
    key = _read_key(company)
    if key is None:
        path = key_path(company)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_hex(32) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        sync_folder(path.parent)
        key = _read_key(company)
        assert key is not None
    return key


def note_erasure(
    company: Company, key: bytes, customers: Iterable[str], devices: Iterable[str], by: str, reason: str
) -> None:
    """Add customers and their devices (by pseudonym); from here on the erasure is resumed whenever it is interrupted."""
    entry = {
        "event": "erase", "customers": sorted(customers), "devices": sorted(devices), "by": by, "reason": reason,
        "at": _now(),
    }  # fmt: skip
    first = [] if _entries(company) else [{"event": "key", "check": _check(key)}]
    _append(company, [*first, entry])


def note_done(company: Company, customers: Iterable[str], release_id: str) -> None:
    """Note that no release before ``release_id`` is left."""
    _append(company, [{"event": "done", "customers": sorted(customers), "release_id": release_id, "at": _now()}])


def erased_on(company: Company, customer: str) -> str:
    """When a pseudonym came onto the list."""
    return next(str(entry["at"]) for entry in _entries(company) if customer in entry.get("customers", ()))


def _append(company: Company, entries: list[dict[str, Any]]) -> None:
    path = register_path(company)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = "".join(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n" for entry in entries)
    write_durably(path, before + lines)
    path.chmod(0o600)


def _entries(company: Company) -> list[dict[str, Any]]:
    path = register_path(company)
    if not path.is_file():
        return []
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not entries or [entry["event"] for entry in entries].count("key") != 1 or entries[0]["event"] != "key":
            raise ValueError("its first line must be the check of the key")
    except (ValueError, KeyError, TypeError) as error:
        raise ErasureError(f"{path}: not a list of erasures: {error}") from error
    return entries


def _read_key(company: Company) -> bytes | None:
    path = key_path(company)
    text = os.environ.get(KEY_VARIABLE) or (path.read_text(encoding="utf-8").strip() if path.is_file() else None)
    if text is None:
        return None
    if len(text) < _SHORTEST_KEY:
        raise ErasureError(
            f"the key for erasures ({KEY_VARIABLE} or {path}) must have at least {_SHORTEST_KEY} characters"
        )
    return text.encode("utf-8")


def _check(key: bytes) -> str:
    return hmac.digest(key, b"check of the key", "sha256").hex()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
