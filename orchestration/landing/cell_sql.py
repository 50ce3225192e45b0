"""SQL that recognises plainly written cells in bulk and gives the same value as ``cells.parse_cell``.

Each expression gives null for a text it does not recognise; such rows go to ``cells``. It must never give another value
than ``cells`` would: ``tests/landing/test_cells_agree.py`` holds the two together.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from orchestration.landing.contract import Column, DataType, Dialect, Extract
from orchestration.sql_text import literal

# Outside these years, and on days whose offset changes, times go to the row-wise reader.
_FIRST_DAY, _LAST_DAY = dt.date(1992, 1, 1), dt.date(2060, 1, 1)
_DAY = "[0-9]{4}-(?:0[1-9]|1[0-2])-[0-3][0-9]"
_SLASHED_DAY = "[0-9]{4}/(?:0[1-9]|1[0-2])/[0-3][0-9]"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"
_SHORT_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"


def value_sql(cell: str, column: Column, dialect: Dialect, zone: ZoneInfo) -> str:
    """Expression over the text expression ``cell``: the typed value, or null where it is empty or not recognised."""
    name = column.data_type.name
    if name == "varchar":
        return cell
    if name in ("integer", "bigint"):
        digits = 9 if name == "integer" else 18
        return _when_matches(cell, f"[+-]?[0-9]{{1,{digits}}}", f"try_cast({cell} as {name})")
    if name == "decimal":
        return _decimal_sql(cell, column.data_type, dialect)
    if name == "boolean":
        return (
            f"case when {cell} in ('true', '1', 'True', 'TRUE') then true "
            f"when {cell} in ('false', '0', 'False', 'FALSE') then false end"
        )
    if name == "date":
        dashed = f"replace({cell}, '/', '-')"
        return _when_matches(cell, f"{_DAY}|{_SLASHED_DAY}", f"try_cast({dashed} as date)")
    naive = f"try_cast({cell} as timestamp)"
    # A cast to timestamp drops the offset without a word; only the cast through timestamptz applies it. Naive text is the
    # company's local time.
    spreadsheet = f"try_cast(replace({cell}, '/', '-') as timestamp)"
    moment = f"timezone('UTC', try_cast({cell} as timestamptz))"
    return (
        f"case when regexp_full_match({cell}, {literal(f'{_DAY}[ T]{_CLOCK}')}) then {_utc_sql(naive, zone)} "
        f"when regexp_full_match({cell}, {literal(f'{_DAY}[ T]{_CLOCK}{_OFFSET}')}) then {moment} "
        f"when regexp_full_match({cell}, {literal(f'(?:{_DAY}[ T]|{_SLASHED_DAY} ){_SHORT_CLOCK}')}) "
        f"then {_utc_sql(spreadsheet, zone)} end"
    )


def _when_matches(cell: str, pattern: str, value: str) -> str:
    return f"case when regexp_full_match({cell}, {literal(pattern)}) then {value} end"


def _decimal_sql(cell: str, data_type: DataType, dialect: Dialect) -> str:
    whole = data_type.precision - data_type.scale
    if whole == 0 or dialect.decimal not in ".,":
        return f"cast(null as {data_type.sql})"
    fraction = f"(?:[{dialect.decimal}][0-9]{{1,{data_type.scale}}})?" if data_type.scale else ""
    plain = cell if dialect.decimal == "." else f"replace({cell}, ',', '.')"
    return _when_matches(cell, f"[+-]?[0-9]{{1,{whole}}}{fraction}", f"try_cast({plain} as {data_type.sql})")


def good_sql(value: str, cell: str, column: Column) -> str | None:
    """Condition over the value and text expressions: the cell may be taken as it is. None where every cell may."""
    if column.required:
        conditions = [f"{value} is not null"]
    elif column.data_type.name == "varchar":
        conditions = []
    else:
        conditions = [f"({value} is not null or {cell} is null)"]
    if column.values and column.data_type.name == "varchar":
        conditions.append(f"coalesce({value} in ({', '.join(literal(v) for v in column.values)}), true)")
    elif column.values:
        conditions.append(f"{value} is null")
    if column.data_type.name in ("integer", "bigint", "decimal"):
        if column.minimum is not None:
            conditions.append(f"coalesce({value} >= {column.minimum}, true)")
        if column.maximum is not None:
            conditions.append(f"coalesce({value} <= {column.maximum}, true)")
    return " and ".join(conditions) if conditions else None


def one_of_sql(extract: Extract, value_of: dict[str, str]) -> str | None:
    """Condition that one of the extract's ``one_of`` columns has a value; None where the contract asks for none."""
    if not extract.one_of:
        return None
    return "(" + " or ".join(f"{value_of[name]} is not null" for name in extract.one_of) + ")"


def version_sql(value: str, column: Column) -> str:
    """The counterpart of ``cells.version_text``."""
    name = column.data_type.name
    if name == "timestamp":
        return f"coalesce(strftime({value}, '%Y-%m-%dT%H:%M:%S.%f'), '')"
    if name == "date":
        return f"coalesce(strftime({value}, '%Y-%m-%d'), '')"
    if name == "varchar":
        return f"coalesce({value}, '')"
    shifted = f"cast({value} as decimal(38,12)) + cast('100000000000000000000' as decimal(38,12))"
    return f"coalesce(lpad(cast({shifted} as varchar), 39, '0'), '')"


@lru_cache(maxsize=8)
def _offset_ranges(zone: ZoneInfo) -> tuple[tuple[dt.date, dt.date, int], ...]:
    """Half-open day ranges on which local midnight to midnight has one UTC offset (seconds)."""
    ranges: list[tuple[dt.date, dt.date, int]] = []
    day = _FIRST_DAY
    while day < _LAST_DAY:
        following = day + dt.timedelta(days=1)
        offset, next_offset = _offset_at(day, zone), _offset_at(following, zone)
        if offset == next_offset and ranges and ranges[-1][1:] == (day, offset):
            ranges[-1] = (ranges[-1][0], following, offset)
        elif offset == next_offset:
            ranges.append((day, following, offset))
        day = following
    return tuple(ranges)


def _offset_at(day: dt.date, zone: ZoneInfo) -> int:
    offset = dt.datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()
    return int((offset or dt.timedelta()).total_seconds())


def _utc_sql(local: str, zone: ZoneInfo) -> str:
    return _choose_range(local, _offset_ranges(zone))


def _choose_range(local: str, ranges: tuple[tuple[dt.date, dt.date, int], ...]) -> str:
    if len(ranges) == 1:
        start, end, offset = ranges[0]
        shifted = f"{local} - to_seconds({offset})"
        return f"case when {local} >= timestamp '{start}' and {local} < timestamp '{end}' then {shifted} end"
    middle = len(ranges) // 2
    return (
        f"case when {local} < timestamp '{ranges[middle][0]}' then {_choose_range(local, ranges[:middle])} "
        f"else {_choose_range(local, ranges[middle:])} end"
    )
