"""Rows of opened files into ``raw``, all of them accounted for: plain cells in bulk by SQL, the rest row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from orchestration.landing.cell_sql import good_sql, one_of_sql, value_sql, version_sql
from orchestration.landing.cells import Value, Violation, parse_row, version_text
from orchestration.landing.contract import Extract
from orchestration.landing.errors import LandingError, Refused
from orchestration.landing.incoming import FileFailed, Incoming, RowStream, blame
from orchestration.landing.opening import check_unchanged
from orchestration.landing.readers.base import BATCH_ROWS
from orchestration.landing.rejections import Cells, add_rejections, file_list, reject_repeated_keys
from orchestration.landing.warehouse import raw_table
from orchestration.sql_text import quoted

# Between a version column's value and the file's own key; sorts before every printable character.
VERSION_END = "\x1f"
_ARROW_TYPES = {
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
}
ValueRow = tuple[str, int, dt.datetime, str, Mapping[str, Value]]


def load(connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming], zone: ZoneInfo) -> None:
    """Insert all rows of ``batch`` within the caller's transaction; sets each file's rejections and records.

    Raises:
        FileFailed: one file must stay out.
        NeedsStrictReader: a file's fast reader gave up; the strict one is in place for the next try.
        LandingError: rows in ``raw`` and quarantine do not add up to a file's rows.

    """
    for incoming in batch:
        incoming.records = 0
        incoming.rejections = []
    plan = _plan(extract, zone, {name for incoming in batch for name in incoming.reading.columns})
    inserted = _insert_plain(connection, extract, batch, plan)
    if inserted < sum(incoming.records for incoming in batch):
        _insert_others(connection, extract, batch, plan, zone)
    if extract.mode == "snapshot":
        reject_repeated_keys(connection, extract, batch)
    for incoming in batch:
        incoming.rejections += incoming.reading.rejections
        incoming.records += len(incoming.reading.rejections)
        if len(incoming.rejections) > extract.limits.rejected_rows:
            raise FileFailed(incoming, Refused(_too_many(extract)))
        with blame(incoming):
            check_unchanged(incoming.found)
    _verify(connection, extract, batch)


def _too_many(extract: Extract) -> str:
    return f"more than {extract.limits.rejected_rows} rows do not fit the contract (limit rejected_rows)"


@dataclass(frozen=True)
class _Plan:
    """SQL over a relation with an extract's text columns: typed values, and the conditions for taking a row as it is."""

    names: list[str]
    values: list[str]
    conditions: list[str]

    @property
    def condition(self) -> str:
        return " and ".join(self.conditions) or "true"


def _plan(extract: Extract, zone: ZoneInfo, given: set[str]) -> _Plan:
    values, conditions, value_of = [], [], {}
    for number, column in enumerate(extract.columns):
        cell, value = quoted(column.name), f"value_{number}"
        value_of[column.name] = value
        if column.name not in given:
            # Columns that no file of the batch has cost nothing.
            values.append(f"cast(null as {column.data_type.sql}) as {value}")
            continue
        values.append(f"{value_sql(cell, column, extract.dialect, zone)} as {value}")
        if (condition := good_sql(value, cell, column)) is not None:
            conditions.append(condition)
    if (condition := one_of_sql(extract, value_of)) is not None:
        conditions.append(condition)
    return _Plan([quoted(column.name) for column in extract.columns], values, conditions)


def key_sql(extract: Extract, file_key: str, value_of: Mapping[str, str]) -> str:
    """``_delivery_key`` of a row: the file's own key, after the version column's value where the contract names one."""
    column = extract.version_column
    if column is None:
        return file_key
    return f"{version_sql(value_of[column.name], column)} || chr({ord(VERSION_END)}) || {file_key}"


def _insert_plain(
    connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming], plan: _Plan
) -> int:
    files = pa.table(
        {
            "file_no": pa.array(range(len(batch)), pa.int32()),
            "file_id": [i.file_id for i in batch],
            "delivered_at": pa.array([i.delivered_at for i in batch], pa.timestamp("us")),
            "delivery_key": [i.delivery_key for i in batch],
        }
    )
    values = [f"value_{number}" for number in range(len(plan.names))]
    key = key_sql(extract, "f.delivery_key", dict(zip((c.name for c in extract.columns), values, strict=True)))
    stream = RowStream(extract, batch, counts=True)
    connection.register("delivered_rows", stream.reader)
    connection.register("delivered_files", files)
    try:
        inserted = connection.execute(
            f"insert into {raw_table(extract)} "
            f"({', '.join(plan.names)}, _file_id, _line_no, _delivered_at, _delivery_key) "
            f"select {', '.join(values)}, f.file_id, _line_no, f.delivered_at, {key} "
            f"from (select {', '.join(plan.values)}, * from delivered_rows) as r "
            f"inner join delivered_files as f on f.file_no = r._file_no where {plan.condition}"
        ).fetchone()
    except duckdb.Error:
        if stream.error is not None:
            raise stream.error from None
        raise
    finally:
        connection.unregister("delivered_rows")
        connection.unregister("delivered_files")
    return int(inserted[0]) if inserted else 0


def _insert_others(
    connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming], plan: _Plan, zone: ZoneInfo
) -> None:
    """The rows that SQL did not take: row by row, into ``raw`` or into their file's rejections."""
    rejected: list[dict[int, tuple[Violation, Cells]]] = [{} for _ in batch]

    def accepted() -> Iterator[ValueRow]:
        for number, line_no, cells in _other_rows(extract, batch, plan):
            incoming = batch[number]
            try:
                values = parse_row(cells, extract, zone)
            except Violation as violation:
                rejected[number][line_no] = (violation, cells)
                if len(rejected[number]) > extract.limits.rejected_rows:
                    reason = f"{_too_many(extract)}, the last: {violation.message}"
                    raise FileFailed(incoming, Refused(reason)) from violation
            else:
                yield incoming.file_id, line_no, incoming.delivered_at, incoming.delivery_key, values

    insert_values(connection, extract, accepted())
    for incoming, rows in zip(batch, rejected, strict=True):
        if rows:
            with blame(incoming):
                add_rejections(incoming, rows)


def _other_rows(extract: Extract, batch: Sequence[Incoming], plan: _Plan) -> Iterator[tuple[int, int, Cells]]:
    """File number, line and cells of the rows for which the plan's condition does not hold.

    They come from a DuckDB instance of their own, so that they can be inserted into the warehouse while they stream.
    """
    stream = RowStream(extract, batch, counts=False)
    names = [column.name for column in extract.columns]
    with duckdb.connect() as reader:
        reader.execute("set threads = 1")
        reader.execute("set enable_progress_bar = false")
        reader.register("delivered_rows", stream.reader)
        try:
            result = reader.execute(
                f"select _file_no, _line_no, {', '.join(plan.names)} "
                f"from (select {', '.join(plan.values)}, * from delivered_rows) where not coalesce({plan.condition}, false)"
            )
            for rows in result.to_arrow_reader(BATCH_ROWS):
                for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                    yield row[0], row[1], dict(zip(names, row[2:], strict=True))
        except (duckdb.Error, pa.ArrowException, OSError):
            if stream.error is not None:
                raise stream.error from None
            raise


def insert_values(
    connection: duckdb.DuckDBPyConnection, extract: Extract, rows: Iterable[ValueRow], table: str | None = None
) -> None:
    """Insert rows of typed values (file id, line, moment and key of delivery, values by column), by default into ``raw``."""
    types = {column.name: _arrow_type(extract, column.name) for column in extract.columns}
    schema = pa.schema(
        [*types.items(), ("_file_id", pa.string()), ("_line_no", pa.int64())]
        + [("_delivered_at", pa.timestamp("us")), ("_delivery_key", pa.string())]
    )
    version = extract.version_column
    errors: list[Exception] = []

    def gathered(chunk: list[ValueRow]) -> pa.RecordBatch:
        arrays = [pa.array([row[4][name] for row in chunk], data_type) for name, data_type in types.items()]
        file_ids, lines, moments = ([row[place] for row in chunk] for place in range(3))
        keys = [r[3] if version is None else f"{version_text(r[4][version.name])}{VERSION_END}{r[3]}" for r in chunk]
        arrays += [pa.array(file_ids), pa.array(lines), pa.array(moments, pa.timestamp("us")), pa.array(keys)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def chunks() -> Iterator[pa.RecordBatch]:
        chunk: list[ValueRow] = []
        try:
            for row in rows:
                chunk.append(row)
                if len(chunk) >= BATCH_ROWS:
                    yield gathered(chunk)
                    chunk = []
            if chunk:
                yield gathered(chunk)
        except Exception as error:
            errors.append(error)
            raise

    connection.register("accepted_rows", pa.RecordBatchReader.from_batches(schema, chunks()))
    try:
        connection.execute(f"insert into {table or raw_table(extract)} by name select * from accepted_rows")
    except duckdb.Error:
        if errors:
            raise errors[0] from None
        raise
    finally:
        connection.unregister("accepted_rows")


def _arrow_type(extract: Extract, name: str) -> pa.DataType:
    data_type = extract.column(name).data_type
    if data_type.name == "decimal":
        return pa.decimal128(data_type.precision, data_type.scale)
    return _ARROW_TYPES[data_type.name]


def _verify(connection: duckdb.DuckDBPyConnection, extract: Extract, batch: Sequence[Incoming]) -> None:
    counted = dict(
        connection.execute(
            f"select _file_id, count(*) from {raw_table(extract)} where _file_id in ({file_list(batch)}) group by _file_id"
        ).fetchall()
    )
    for incoming in batch:
        in_raw = counted.get(incoming.file_id, 0)
        if in_raw + len(incoming.rejections) != incoming.records:
            raise LandingError(
                f"{incoming.found.name}: {incoming.records} rows in the file, but {in_raw} in raw and "
                f"{len(incoming.rejections)} in quarantine; nothing of it was landed"
            )
