"""Whatever is done to the file behind the ledger's back is found, and the first broken entry is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.ledger.chain import GENESIS, Entry, check_chain
from orchestration.ledger.corrections import hold
from orchestration.ledger.errors import LedgerDamaged
from orchestration.ledger.store import head_path, ledger_path, open_ledger
from orchestration.ledger.verify import verify_ledger
from tests.ledger.conftest import MAY, Shop, close_period

TRIGGERS = "select name, sql from sqlite_master where type = 'trigger'"


def tamper(shop: Shop, *statements: str, restore: bool = True) -> None:
    """Change the file as somebody would who knows SQLite: triggers off, change, triggers on again."""
    with closing(sqlite3.connect(ledger_path(shop.company), isolation_level=None)) as connection:
        triggers = connection.execute(TRIGGERS).fetchall()
        for name, _ in triggers:
            connection.execute(f"drop trigger {name}")
        for statement in statements:
            connection.execute(statement)
        if restore:
            for _, sql in triggers:
                connection.execute(sql)


@pytest.fixture
def written(shop: Shop) -> Shop:
    """Five entries: a period calculated, approved, closed, and two holds."""
    close_period(shop.company, MAY)
    hold(shop.company, "E1", "bank account unclear", "Ann")
    hold(shop.company, "E2", "left without address", "Ann")
    assert verify_ledger(shop.company).entries == 5
    return shop


def test_tampering_is_found_and_the_first_broken_entry_is_named(written: Shop) -> None:
    path = ledger_path(written.company)
    whole = path.with_name("whole")
    shutil.copy(path, whole)
    for statements, message in [
        (["update entries set actor = 'Eve' where sequence = 2"], r"entry 2 \(period_approved by Eve.* was changed"),
        (["update entries set body = replace(body, '150.50', '950.50') where sequence = 3"], "entry 3 .* was changed"),
        (["update entries set recorded_at = '2020-01-01' where sequence = 1"], "entry 1 .* was changed"),
        (["delete from entries where sequence = 2"], "entry 2 is missing"),
        (["delete from entries where sequence = 1"], "entry 1 is missing"),
        (["delete from entries where sequence = 5"], "entry 5 is missing: the end was cut off"),
        (["delete from entries where sequence > 3"], "entry 4 is missing: the end was cut off"),
        (["delete from entries"], "entry 1 is missing: the end was cut off"),
        (
            [
                "update entries set sequence = 99 where sequence = 4",
                "update entries set sequence = 4 where sequence = 5",
                "update entries set sequence = 5 where sequence = 99",
            ],
            "entry 4 .* changed or moved",
        ),
        (["update contents set content = x'00'"], r"entry 3 \(period_closed.*content .* was changed"),
        (["delete from contents where rowid = 1"], r"entry 3 \(period_closed.*content .* is missing"),
        (["delete from contents where rowid = 4"], r"entry 3 \(period_closed.*content .* is missing"),
    ]:
        tamper(written, *statements)
        with pytest.raises(LedgerDamaged, match=message):
            verify_ledger(written.company)
        shutil.copy(whole, path)
    assert verify_ledger(written.company).entries == 5


def test_a_removed_trigger_is_found(written: Shop) -> None:
    tamper(written, restore=False)
    with pytest.raises(LedgerDamaged, match="missing or changed: CREATE TRIGGER entries_are_appended"):
        verify_ledger(written.company)


def test_a_damaged_ledger_takes_no_further_entry(written: Shop) -> None:
    tamper(written, "update entries set actor = 'Eve' where sequence = 2")
    with pytest.raises(LedgerDamaged, match="entry 2"):
        hold(written.company, "E3", "any", "Ann")


def _forged(entries: list[Entry], sequence: int) -> list[Entry]:
    """The chain written anew from one entry on, every hash right."""
    forged, previous = [], GENESIS
    for entry in entries:
        actor = "Eve" if entry.sequence == sequence else entry.actor
        draft = replace(entry, actor=actor, previous_hash=previous)
        forged.append(replace(draft, entry_hash=draft.computed_hash()))
        previous = forged[-1].entry_hash
    return forged


def test_a_chain_written_anew_is_found_by_the_notes_of_its_head(written: Shop) -> None:
    written.publish()
    with open_ledger(written.company) as ledger:
        forged = _forged(ledger.entries(), 3)
    check_chain(forged)
    tamper(
        written,
        "delete from entries",
        *(
            "insert into entries values ({})".format(
                ", ".join(str(v) if isinstance(v, int) else "'" + v.replace("'", "''") + "'" for v in vars(e).values())
            )
            for e in forged
        ),
    )
    with pytest.raises(LedgerDamaged, match="not the one that was noted elsewhere"):
        verify_ledger(written.company)
    # Whoever rewrites the note beside the file too is still found by the releases.
    note = {"sequence": forged[-1].sequence, "entry_hash": forged[-1].entry_hash}
    head_path(written.company).write_text(json.dumps(note), encoding="utf-8")
    with pytest.raises(LedgerDamaged, match=r"entry 5 .*not the one that was noted elsewhere"):
        verify_ledger(written.company)


def test_a_ledger_cut_off_with_its_note_is_found_by_the_releases(written: Shop) -> None:
    written.publish()
    tamper(written, "delete from entries where sequence > 3")
    head_path(written.company).unlink()
    with pytest.raises(LedgerDamaged, match="entry 4 is missing"):
        verify_ledger(written.company)


def test_an_unreadable_file_is_said_to_be_one(written: Shop) -> None:
    path: Path = ledger_path(written.company)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(Exception, match=r"ledger\.sqlite"):
        verify_ledger(written.company)


def _chain(actors: list[str]) -> list[Entry]:
    entries, previous = [], GENESIS
    for number, actor in enumerate(actors, 1):
        draft = Entry(number, "2026-01-01T00:00:00", "hold_placed", actor, '{"hold_id":"x"}', previous, "")
        entries.append(replace(draft, entry_hash=draft.computed_hash()))
        previous = entries[-1].entry_hash
    return entries


def _swap(entries: list[Entry], at: int) -> list[Entry]:
    return [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]]


def _renumbered(entries: list[Entry]) -> list[Entry]:
    return [replace(entry, sequence=number) for number, entry in enumerate(entries, 1)]


FAULTS: dict[str, Callable[[list[Entry], int], list[Entry]]] = {
    "edited": lambda e, at: [*e[:at], replace(e[at], actor=e[at].actor + "!"), *e[at + 1 :]],
    "other time": lambda e, at: [*e[:at], replace(e[at], recorded_at="2020"), *e[at + 1 :]],
    "deleted": lambda e, at: [*e[:at], *e[at + 1 :]],
    "deleted and numbered anew": lambda e, at: _renumbered([*e[:at], *e[at + 1 :]]),
    "swapped": _swap,
    "swapped and numbered anew": lambda e, at: _renumbered(_swap(e, at)),
    "written twice": lambda e, at: _renumbered([*e[: at + 1], e[at], *e[at + 1 :]]),
    "rehashed alone": lambda e, at: [
        *e[:at],
        replace(d := replace(e[at], actor="Eve"), entry_hash=d.computed_hash()),
        *e[at + 1 :],
    ],
}


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), min_size=3, max_size=8), st.data(), st.sampled_from(sorted(FAULTS)))
def test_any_fault_of_a_chain_is_found_no_later_than_the_entry_after_it(
    actors: list[str], data: st.DataObject, fault: str
) -> None:
    entries = _chain(actors)
    check_chain(entries)
    at = data.draw(st.integers(0, len(entries) - 2))
    with pytest.raises(LedgerDamaged) as error:
        check_chain(FAULTS[fault](entries, at))
    named = int(str(error.value).split("entry ")[1].split()[0])
    assert at + 1 <= named <= at + 2
