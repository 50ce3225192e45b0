"""Rows that cannot go into ``raw``: finding them, and keeping them with their text and reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import duckdb
import pyarrow as pa

from orchestration.landing.cells import Violation, row_key
from orchestration.landing.contract import Extract
from orchestration.landing.errors import Refused
from orchestration.landing.incoming import FileFailed, Incoming, blame
from orchestration.landing.readers import Rejection
from orchestration.landing.warehouse import raw_table
from orchestration.sql_text import literal, quoted

Cells = dict[str, str | None]
BadRows = Mapping[int, tuple[Violation, Cells]]

_SCHEMA = pa.schema(
    [(name, pa.int64() if name == "line_no" else pa.string()) for name in (
        "file_id", "source_name", "extract_name", "file_name", "line_no", "column_name", "reason_code", "reason", "raw_text",
        "record_key", "cells",
    )]
)  # fmt: skip


def file_list(batch: Sequence[Incoming]) -> str:
    """The batch's file ids as an SQL list."""
    return ", ".join(literal(incoming.file_id) for incoming in batch)


def add_rejections(incoming: Incoming, rows: BadRows) -> None:
    """Put rows (by line) into the file's rejections with their text as it stands in the file."""
    texts = incoming.reading.raw_texts({line_no: cells for line_no, (_, cells) in rows.items()})
    incoming.rejections += [
        Rejection(line_no, violation.column, violation.code, violation.message, texts[line_no], cells)
        for line_no, (violation, cells) in sorted(rows.items())
    ]


def reject_repeated_keys(connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming]) -> None:
    """Take repeated keys of full lists out of ``raw``.

    A full list holds each key once; which of two rows is meant nobody can tell, so the first stays and the others wait.

    Raises:
        FileFailed: more of them than the contract's limit.

    """
    table, key = raw_table(extract), ", ".join(quoted(name) for name in extract.key)
    repeated = connection.execute(
        f"select _file_id, _line_no, first_line from (select _file_id, _line_no, "
        f"min(_line_no) over (partition by _file_id, {key}) as first_line "
        f"from {table} where _file_id in ({file_list(batch)})) where _line_no > first_line"
    ).fetchall()
    by_file: dict[str, dict[int, int]] = {}
    for file_id, line_no, first_line in repeated:
        by_file.setdefault(file_id, {})[line_no] = first_line
    for incoming in batch:
        lines = by_file.get(incoming.file_id)
        if lines is None:
            continue
        if len(lines) > extract.limits.rejected_rows:
            raise FileFailed(incoming, Refused(f"{len(lines)} rows repeat a key of this full list"))
        connection.execute(
            f"delete from {table} where _file_id = ? and list_contains(?, _line_no)", [incoming.file_id, list(lines)]
        )
        with blame(incoming):
            add_rejections(incoming, _repeated_rows(extract, incoming, lines))


def _repeated_rows(extract: Extract, incoming: Incoming, lines: Mapping[int, int]) -> BadRows:
    rows: dict[int, tuple[Violation, Cells]] = {}
    for batch in incoming.batches():
        for row in batch.to_pylist():
            line_no = row.pop("_line_no")
            if line_no in lines:
                key = row_key(row, extract.key)
                message = f"key {key!r} stands on line {lines[line_no]} of this full list already ({extract.place})"
                rows[line_no] = (Violation("duplicate_key", message, extract.key[0]), row)
    return rows


def write_rejections(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    batch: Sequence[Incoming],
    scrub: Callable[[Extract, Rejection], Rejection],
) -> None:
    """Rows of ``landing.rejected_rows`` for the batch; ``scrub`` takes erased customers out of them."""
    rows = [
        {
            "file_id": incoming.file_id,
            "source_name": extract.source,
            "extract_name": extract.name,
            "file_name": incoming.found.name,
            "line_no": rejection.line_no,
            "column_name": rejection.column,
            "reason_code": rejection.code,
            "reason": rejection.message,
            "raw_text": rejection.raw_text,
            "record_key": None if rejection.cells is None else row_key(rejection.cells, extract.key),
            "cells": None if rejection.cells is None else json.dumps(rejection.cells, ensure_ascii=False),
        }
        for incoming in batch
        for rejection in (scrub(extract, rejection) for rejection in incoming.rejections)
    ]
    if rows:
        connection.register("rejections", pa.Table.from_pylist(rows, schema=_SCHEMA))
        connection.execute("insert into landing.rejected_rows by name select * from rejections")
        connection.unregister("rejections")
