"""Rows that leave the quarantine because the contract was mended: judged by it once more, landed once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import duckdb

from orchestration.landing.cells import Value, Violation, parse_row
from orchestration.landing.contract import Extract
from orchestration.landing.incoming import Incoming
from orchestration.landing.load import ValueRow, insert_values
from orchestration.landing.rejections import file_list
from orchestration.landing.warehouse import held_table, raw_table
from orchestration.sql_text import quoted


@dataclass(frozen=True)
class Place:
    """Where rows of a content stand: under a delivery of it in ``raw``, or held with a refused list."""

    delivery_key: str
    delivered_at: dt.datetime
    is_landed: bool


def clear_rows(
    connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming], now: dt.datetime
) -> int:
    """Take the rows of contents that are read again out of ``raw``; their quarantined rows count as released for now.

    Returns how many those are.
    """
    ids = file_list(batch)
    connection.execute(f"delete from {raw_table(extract)} where _file_id in ({ids})")
    if extract.mode == "snapshot":
        connection.execute(f"delete from {held_table(extract)} where _file_id in ({ids})")
    released = connection.execute(
        f"update landing.rejected_rows set released_at = ? where file_id in ({ids}) and source_name = ? and extract_name = ? "
        "and released_at is null",
        [now, extract.source, extract.name],
    ).fetchone()
    return int(released[0]) if released else 0


def keep_refused(
    connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming], now: dt.datetime
) -> int:
    """After the second reading: what it refuses again was never released. Returns how many rows those are."""
    refused = 0
    for incoming in batch:
        lines = [rejection.line_no for rejection in incoming.rejections]
        removed = connection.execute(
            "delete from landing.rejected_rows where file_id = ? and source_name = ? and extract_name = ? "
            "and released_at = ? and list_contains(?, line_no)",
            [incoming.file_id, extract.source, extract.name, now, lines],
        ).fetchone()
        refused += int(removed[0]) if removed else 0
    return refused


def release_stored_rows(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    file_id: str,
    places: Sequence[Place],
    zone: ZoneInfo,
    now: dt.datetime,
) -> int:
    """Judge the quarantined rows of a content whose file is gone by the cells that were kept; returns how many are released.

    A repeated key of a full list stays: which of two rows is meant only the file could tell.
    """
    accepted: dict[int, Mapping[str, Value]] = {}
    for line_no, cells in connection.execute(
        "select line_no, cells from landing.rejected_rows where file_id = ? and source_name = ? and extract_name = ? "
        "and released_at is null and cells is not null and reason_code <> 'duplicate_key' order by line_no",
        [file_id, extract.source, extract.name],
    ).fetchall():
        try:
            accepted[line_no] = parse_row(json.loads(cells), extract, zone)
        except Violation:
            continue
    if extract.mode == "snapshot":
        accepted = _without_known_keys(connection, extract, file_id, accepted)
    if not accepted:
        return 0

    def rows(place: Place) -> Iterator[ValueRow]:
        for line_no, values in accepted.items():
            yield file_id, line_no, place.delivered_at, place.delivery_key, values

    for place in places:
        insert_values(connection, extract, rows(place), raw_table(extract) if place.is_landed else held_table(extract))
    connection.execute(
        "update landing.rejected_rows set released_at = ? where file_id = ? and source_name = ? and extract_name = ? "
        "and released_at is null and list_contains(?, line_no)",
        [now, file_id, extract.source, extract.name, list(accepted)],
    )
    return len(accepted)


def _without_known_keys(
    connection: duckdb.DuckDBPyConnection, extract: Extract, file_id: str, rows: Mapping[int, Mapping[str, Value]]
) -> dict[int, Mapping[str, Value]]:
    names = ", ".join(quoted(name) for name in extract.key)
    known = set(
        connection.execute(
            f"select {names} from {raw_table(extract)} where _file_id = $file_id "
            f"union select {names} from {held_table(extract)} where _file_id = $file_id",
            {"file_id": file_id},
        ).fetchall()
    )
    kept: dict[int, Mapping[str, Value]] = {}
    for line_no, values in rows.items():
        key = tuple(values[name] for name in extract.key)
        if key not in known:
            known.add(key)
            kept[line_no] = values
    return kept
