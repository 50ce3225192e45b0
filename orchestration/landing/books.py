"""What landing did, told from its books: files, refused rows, and the versions of one record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.landing.contract import Contract, Extract
from orchestration.landing.errors import LandingError
from orchestration.landing.load import VERSION_END
from orchestration.landing.warehouse import raw_table
from orchestration.sql_text import literal, quoted


@dataclass(frozen=True)
class Listing:
    """Rows of one kind, with the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        """The rows as mappings."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class WarehouseIsBusy(LandingError):
    """A night is running: nobody else can open the warehouse file meanwhile."""


@contextmanager
def open_books(warehouse_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the warehouse.

    Raises:
        WarehouseIsBusy: a night has it open.
        LandingError: nothing was ever landed.

    """
    if not warehouse_path.is_file():
        raise LandingError(f"{warehouse_path}: not there: nothing was landed yet")
    try:
        connection = duckdb.connect(str(warehouse_path), read_only=True)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise WarehouseIsBusy(f"{warehouse_path}: a night is running, ask again when it has ended") from error
        raise LandingError(f"{warehouse_path}: {error}") from error
    try:
        yield connection
    finally:
        connection.close()


def last_files(connection: duckdb.DuckDBPyConnection, last: int, extract: Extract | None = None) -> Listing:
    """The files that landing looked at last, newest first, each with its refused rows and the kinds of their reasons."""
    condition, parameters = _of_extract("f", extract)
    return _ask(
        connection,
        "with reasons as ("
        "  select file_id, source_name, extract_name, string_agg(kind, '; ' order by row_count desc, kind) as reasons"
        "  from (select file_id, source_name, extract_name, count(*) as row_count,"
        "      count(*) || ' ' || reason_code || coalesce(' in ' || column_name, '') as kind"
        "    from landing.rejected_rows where released_at is null"
        "    group by file_id, source_name, extract_name, reason_code, column_name)"
        "  group by file_id, source_name, extract_name)"
        "select f.landed_at, f.file_name, f.status, f.encoding, f.row_count, f.raw_row_count, f.rejected_row_count,"
        "  f.extra_columns, coalesce(f.reason, case when f.rejected_row_count > 0 then r.reasons end) as reason "
        "from landing.files as f left join reasons as r on r.file_id = f.file_id and r.source_name = f.source_name "
        f"and r.extract_name = f.extract_name {condition} order by f.landed_at desc, f.ledger_no desc limit ?",
        [*parameters, last],
    )


def refused_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract | None = None,
    *,
    with_settled: bool = False,
) -> Listing:
    """Rows in quarantine, in the order of files and lines; without ``with_settled``, those somebody still has to mend.

    A row is settled once its file was delivered again under the same name, its key with a later file, or, where full lists are
    delivered, by a later list.
    """
    condition, parameters = _of_extract("r", extract)
    rows = _ask(
        connection,
        "select r.source_name || '/' || r.extract_name as extract, r.file_name, r.line_no, r.column_name, r.reason_code, "
        f"r.reason, r.raw_text, {_settled_sql(contract, extract)} as is_settled "
        f"from landing.rejected_rows as r {condition} {'and' if condition else 'where'} r.released_at is null "
        "order by r.file_name, r.line_no, r.file_id",
        parameters,
    )
    if with_settled:
        return rows
    return Listing(rows.columns[:-1], tuple(row[:-1] for row in rows.rows if not row[-1]))


def record_versions(connection: duckdb.DuckDBPyConnection, extract: Extract, key: Sequence[str]) -> Listing:
    """Every delivered version of the record with this key, in the order in which they replace one another."""
    if len(key) != len(extract.key):
        raise ValueError(
            f"a record of {extract.full_name} has the key {', '.join(extract.key)}: give {len(extract.key)} values"
        )
    condition = " and ".join(f"cast(v.{quoted(name)} as varchar) = ?" for name in extract.key)
    columns = ", ".join(f"v.{quoted(column.name)}" for column in extract.columns)
    return _ask(
        connection,
        f"select {columns}, v._delivered_at as delivered_at, f.file_name, v._line_no as line_no "
        f"from {raw_table(extract)} as v left join landing.files as f on f.file_id = v._file_id and f.status = 'landed' "
        f"and f.delivery_key = {_file_key('v')} and f.source_name = ? and f.extract_name = ? "
        f"where {condition} order by v._delivery_key, v._line_no, v._file_id",
        [extract.source, extract.name, *key],
    )


def _ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> Listing:
    result = connection.execute(sql, list(parameters))
    columns = tuple(str(column[0]) for column in result.description or [])
    return Listing(columns, tuple(result.fetchall()))


def _of_extract(alias: str, extract: Extract | None) -> tuple[str, list[str]]:
    if extract is None:
        return "", []
    return f"where {alias}.source_name = ? and {alias}.extract_name = ?", [extract.source, extract.name]


def _file_key(alias: str) -> str:
    return f"string_split({alias}._delivery_key, chr({ord(VERSION_END)}))[-1]"


def _settled_sql(contract: Contract, only: Extract | None) -> str:
    own_key = (
        "(select min(o.delivery_key) from landing.files as o where o.file_id = r.file_id "
        "and o.source_name = r.source_name and o.extract_name = r.extract_name)"
    )
    conditions = [
        "exists (select 1 from landing.files as f where f.status = 'landed' and f.source_name = r.source_name "
        f"and f.extract_name = r.extract_name and f.delivery_key > {own_key} "
        f"and (f.file_name = r.file_name or {_is_list(contract)}))"
    ]
    for extract in [only] if only is not None else contract.extracts.values():
        if extract.mode == "events":
            key = " || '|' || ".join(f"cast(v.{quoted(name)} as varchar)" for name in extract.key)
            conditions.append(
                f"(r.source_name = {literal(extract.source)} and r.extract_name = {literal(extract.name)} and exists ("
                f"select 1 from {raw_table(extract)} as v where {key} = r.record_key and {_file_key('v')} > {own_key}))"
            )
    return "(" + " or ".join(conditions) + ")"


def _is_list(contract: Contract) -> str:
    lists = [literal(e.full_name) for e in contract.extracts.values() if e.mode == "snapshot"]
    return f"r.source_name || '/' || r.extract_name in ({', '.join(lists) or literal('')})"
