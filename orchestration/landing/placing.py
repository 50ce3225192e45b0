"""Brings ``raw`` and the ledger in line with what the order of deliveries says (``deliveries.place``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa

from orchestration.landing.contract import Extract
from orchestration.landing.deliveries import Delivery, place
from orchestration.landing.ledger import Entry
from orchestration.landing.load import key_sql
from orchestration.landing.warehouse import held_table, raw_table
from orchestration.sql_text import quoted

Keys = dict[str, dict[str, dt.datetime]]


def apply_placements(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    entries: Iterable[Entry],
    standing: Iterable[Entry],
    rekeyed: Collection[str] = (),
) -> list[Entry]:
    """Decide about all deliveries of one extract and move rows accordingly, within the caller's transaction.

    ``entries`` are every delivery, new ones included; ``standing`` are those whose rows are in ``raw`` now.
    ``rekeyed`` are contents whose keys the contract now builds otherwise. A late file may change what earlier nights decided:
    its rows then move, none is read again. Returns the entries as decided.
    """
    by_delivery: dict[Delivery, Entry] = {entry.delivery(): entry for entry in entries}
    decided: list[Entry] = []
    for placement in place(by_delivery, extract):
        entry = by_delivery[placement.delivery]
        is_landed = placement.status == "landed"
        usable, rows = entry.usable_row_count or 0, entry.row_count or 0
        decided.append(
            replace(
                entry,
                status=placement.status,
                reason=placement.reason,
                delivery_key=placement.delivery_key,
                raw_row_count=usable if is_landed else 0,
                rejected_row_count=rows - usable if is_landed else 0,
            )
        )
    present = _keys(standing)
    wanted = _keys(entry for entry in decided if entry.status == "landed")
    for file_id in present.keys() | wanted.keys():
        if file_id in rekeyed or present.get(file_id, {}).keys() != wanted.get(file_id, {}).keys():
            _move(connection, extract, file_id, present.get(file_id, {}), wanted.get(file_id, {}))
    _name_rejections(connection, extract, decided)
    return decided


def _name_rejections(connection: duckdb.DuckDBPyConnection, extract: Extract, decided: Iterable[Entry]) -> None:
    """A refused row bears the name of its content's first delivery, whichever copy came first."""
    names: dict[str, str] = {}
    for entry in sorted(decided, key=lambda e: (e.status != "landed", e.delivery_key or "")):
        if entry.file_id is not None and entry.has_quarantine:
            names.setdefault(entry.file_id, entry.file_name)
    if not names:
        return
    table = pa.table({"file_id": list(names), "file_name": list(names.values())})
    connection.register("first_names", table)
    connection.execute(
        "update landing.rejected_rows as r set file_name = n.file_name from first_names as n where r.file_id = n.file_id "
        "and r.source_name = ? and r.extract_name = ? and r.file_name <> n.file_name",
        [extract.source, extract.name],
    )
    connection.unregister("first_names")


def _keys(entries: Iterable[Entry]) -> Keys:
    keys: Keys = {}
    for entry in entries:
        if entry.file_id and entry.delivery_key and entry.delivered_at:
            keys.setdefault(entry.file_id, {})[entry.delivery_key] = entry.delivered_at
    return keys


def _move(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    file_id: str,
    present: Mapping[str, dt.datetime],
    wanted: Mapping[str, dt.datetime],
) -> None:
    raw = raw_table(extract)
    if present:
        # All placements of a content hold the same rows; any one of them is the source.
        source = f"{raw} where _file_id = $file_id and ends_with(_delivery_key, $key)"
        parameters = {"file_id": file_id, "key": next(iter(present))}
    else:
        source = f"{held_table(extract)} where _file_id = $file_id"
        parameters = {"file_id": file_id}
    connection.execute(f"create or replace temp table moved_rows as select * from {source}", parameters)
    connection.execute(f"delete from {raw} where _file_id = ?", [file_id])
    if extract.mode == "snapshot":
        connection.execute(f"delete from {held_table(extract)} where _file_id = ?", [file_id])
        if not wanted:
            connection.execute(f"insert into {held_table(extract)} by name select * from moved_rows")
    key = key_sql(extract, "cast($key as varchar)", {c.name: quoted(c.name) for c in extract.columns})
    for delivery_key, moment in wanted.items():
        connection.execute(
            f"insert into {raw} by name select * replace ({key} as _delivery_key, $moment as _delivered_at) from moved_rows",
            {"key": delivery_key, "moment": moment},
        )
    connection.execute("drop table moved_rows")
