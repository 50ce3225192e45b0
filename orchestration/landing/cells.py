"""One text cell to one typed value: the meaning of every accepted notation, and the reason when there is none.

This is the authority. ``cell_sql`` recognises in bulk the plain notations among these; whatever it does not recognise comes
here, so a cell means the same whichever way it is read.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from orchestration.landing.contract import Column, DataType, Dialect, Extract

Value = str | int | Decimal | bool | dt.date | dt.datetime | None

_TRUE = {"true", "t", "1", "yes", "y", "是"}
_FALSE = {"false", "f", "0", "no", "n", "否"}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = (
    r"(?P<year>\d{4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    r"|年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日|(?P<m3>\d{2})(?P<d3>\d{2}))"
)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_COMPACT_CLOCK = r"(?P<h2>\d{2})(?P<n2>\d{2})(?P<s2>\d{2})"
_OFFSET = r"(?:(?P<zulu>[zZ])|(?P<sign>[+-])(?P<oh>\d{2})(?::?(?P<om>\d{2}))?)"
_MOMENT = re.compile(rf"{_DATE}(?:(?:[ T]+{_CLOCK}|[ T]?{_COMPACT_CLOCK})\s*{_OFFSET}?)?", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Violation(Exception):
    """Why a cell or row cannot be taken. ``code`` is the stable name of the reason."""

    code: str
    message: str
    column: str | None = None


def parse_cell(text: str | None, column: Column, dialect: Dialect, zone: ZoneInfo) -> Value:
    """The value of one cell; None for an empty one. Times become naive UTC; a naive input is local time in ``zone``.

    Raises:
        Violation: the text is no value of the column's type, or lies outside its range or list.

    """
    if text is None or text == "":
        return None
    if column.data_type.name == "varchar":
        value: Value = text
    else:
        folded = _fold(text)
        if folded == "":
            return None
        value = _parse_typed(folded, column.data_type, dialect, zone)
    _check_range(value, column, text)
    return value


def parse_row(cells: Mapping[str, str | None], extract: Extract, zone: ZoneInfo) -> dict[str, Value]:
    """Values of all contract columns of one row; columns the file does not have are None.

    Raises:
        Violation: names the first bad column; the message tells of every one.

    """
    values: dict[str, Value] = {}
    found: list[Violation] = []
    for column in extract.columns:
        try:
            value = parse_cell(cells.get(column.name), column, extract.dialect, zone)
            if value is None and column.required:
                raise Violation("missing_value", "is empty, and the contract requires a value")
            values[column.name] = value
        except Violation as violation:
            found.append(Violation(violation.code, f"{column.name} {violation.message} ({column.place})", column.name))
    if not found and extract.one_of and all(values[name] is None for name in extract.one_of):
        found.append(
            Violation(
                "one_of_missing",
                f"one of {', '.join(extract.one_of)} must have a value ({extract.place})",
                extract.one_of[0],
            )
        )
    if found:
        raise Violation(found[0].code, "; ".join(v.message for v in found), found[0].column)
    return values


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()


def _parse_typed(text: str, data_type: DataType, dialect: Dialect, zone: ZoneInfo) -> Value:
    if data_type.name in ("integer", "bigint"):
        return _parse_integer(text, data_type, dialect)
    if data_type.name == "decimal":
        return _parse_decimal(text, data_type, dialect)
    if data_type.name == "boolean":
        lowered = text.casefold()
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
        raise Violation("not_a_boolean", f"{_shown(text)} is neither true nor false")
    if data_type.name == "date":
        local, _ = _parse_moment(text, dialect, "not_a_date")
        if local.time() != dt.time():
            raise Violation("not_a_date", f"{_shown(text)} has a time of day, and the column is a date")
        return local.date()
    local, offset = _parse_moment(text, dialect, "not_a_timestamp")
    try:
        aware = local.replace(tzinfo=zone if offset is None else dt.timezone(offset))
        return aware.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise Violation("not_a_timestamp", f"{_shown(text)} is out of range") from error


def _parse_number(text: str, dialect: Dialect) -> Decimal:
    plain = text
    if dialect.thousands is not None and dialect.thousands in plain:
        whole, mark, rest = plain.partition(dialect.decimal)
        separator = re.escape(dialect.thousands)
        if not re.fullmatch(rf"[+-]?[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+", whole):
            raise Violation("not_a_number", f"{_shown(text)} has {dialect.thousands!r} where it groups no thousands")
        plain = whole.replace(dialect.thousands, "") + mark + rest
    if dialect.decimal == ",":
        if "." in plain:
            raise Violation("not_a_number", f"{_shown(text)} has a '.', and the contract's decimal mark is ','")
        plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise Violation("not_a_number", f"{_shown(text)} is not a number")
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise Violation("not_a_number", f"{_shown(text)} is not a number") from error


def _parse_integer(text: str, data_type: DataType, dialect: Dialect) -> int:
    number = _parse_number(text, dialect)
    bits = 31 if data_type.name == "integer" else 63
    if number.adjusted() > 20:
        raise Violation("out_of_range", f"{_shown(text)} does not fit {data_type.sql}")
    if number != number.to_integral_value():
        raise Violation("not_an_integer", f"{_shown(text)} is not a whole number")
    if not -(2**bits) <= int(number) < 2**bits:
        raise Violation("out_of_range", f"{_shown(text)} does not fit {data_type.sql}")
    return int(number)


def _parse_decimal(text: str, data_type: DataType, dialect: Dialect) -> Decimal:
    number = _parse_number(text, dialect)
    if number == 0:
        return Decimal(0)
    if number.adjusted() >= data_type.precision - data_type.scale:
        raise Violation("out_of_range", f"{_shown(text)} does not fit {data_type.sql}")
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise Violation("not_a_number", f"{_shown(text)} is not a number")
    surplus = -exponent - data_type.scale
    if surplus > 0:
        if any(digits[-surplus:]) or surplus > len(digits):
            # Rounding here would change amounts without a trace, and sums would no longer reconcile with the source.
            raise Violation("too_many_decimals", f"{_shown(text)} has more than {data_type.scale} decimals")
        return Decimal((sign, digits[:-surplus], -data_type.scale))
    return number


def _parse_moment(text: str, dialect: Dialect, code: str) -> tuple[dt.datetime, dt.timedelta | None]:
    match = _MOMENT.fullmatch(text)
    try:
        if match is None:
            return _parse_declared(text, dialect, code)
        part = match.groupdict()
        day = dt.date(
            int(part["year"]),
            int(part["month"] or part["m2"] or part["m3"]),
            int(part["day"] or part["d2"] or part["d3"]),
        )
        fraction = ((part["fraction"] or "") + "000000")[:6]
        clock = dt.time(
            int(part["hour"] or part["h2"] or 0),
            int(part["minute"] or part["n2"] or 0),
            int(part["second"] or part["s2"] or 0),
            int(fraction),
        )
        return dt.datetime.combine(day, clock), _offset(part)
    except ValueError as error:
        raise Violation(code, f"{_shown(text)} does not exist in the calendar or on the clock") from error


def _offset(part: Mapping[str, str | None]) -> dt.timedelta | None:
    if part["zulu"]:
        return dt.timedelta(0)
    if not part["sign"]:
        return None
    hours, minutes = int(part["oh"] or 0), int(part["om"] or 0)
    if hours > 15 or minutes > 59:
        raise ValueError("no such offset from UTC")
    size = dt.timedelta(hours=hours, minutes=minutes)
    return -size if part["sign"] == "-" else size


def _parse_declared(text: str, dialect: Dialect, code: str) -> tuple[dt.datetime, dt.timedelta | None]:
    for pattern in dialect.date_formats:
        try:
            moment = dt.datetime.strptime(text, pattern)
        except ValueError:
            continue
        return moment.replace(tzinfo=None), moment.utcoffset()
    kind = "date" if code == "not_a_date" else "point in time"
    raise Violation(code, f"{_shown(text)} is not a {kind} in any declared format")


def _check_range(value: Value, column: Column, text: str) -> None:
    if column.values and str(value) not in column.values:
        raise Violation("value_not_allowed", f"{_shown(text)} is not one of {', '.join(column.values)}")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if column.minimum is not None and value < column.minimum:
            raise Violation("below_minimum", f"{_shown(text)} is below {column.minimum}")
        if column.maximum is not None and value > column.maximum:
            raise Violation("above_maximum", f"{_shown(text)} is above {column.maximum}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def version_text(value: Value) -> str:
    """A version column's value as text that sorts as the value does; a missing version sorts first."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep="T", timespec="microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        # Shifted by 10^20 so that negative numbers sort below positive ones as text.
        return f"{Decimal(value) + Decimal(10) ** 20:039.12f}"
    return value


def row_key(cells: Mapping[str, str | None], key: Sequence[str]) -> str:
    """The key cells of a row as delivered, joined by ``|``."""
    return "|".join(cells.get(name) or "" for name in key)
