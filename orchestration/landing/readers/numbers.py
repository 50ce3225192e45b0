"""Cells of formats that have types of their own, as text."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from orchestration.landing.contract import Column, Dialect

# A binary floating-point number carries 15 decimal digits; Excel shows and stores no more.
_DOUBLE_DIGITS = 15
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)
# Serial numbers of 1954-10-04 to 2119-01-06: wide enough for every date a company has, too narrow for a date like 20261122.
_SERIAL_DAYS = range(20_000, 80_000)


class DamagedNumberError(ValueError):
    """An identifier was stored as a number too long to be kept exactly."""


def double_text(number: float, column: Column) -> str | None:
    """A floating-point cell as the text a person sees.

    Raises:
        DamagedNumberError: the column is text, and the number has lost digits already.

    """
    if math.isnan(number):
        return None
    if column.data_type.name == "varchar" and abs(number) >= 10**_DOUBLE_DIGITS:
        raise DamagedNumberError(
            f"{number!r} is a text stored as a number: its last digits are already lost in the file"
        )
    if number.is_integer() and abs(number) < 10**_DOUBLE_DIGITS:
        return str(int(number))
    shortest = repr(number)
    return shortest if len(shortest) <= _DOUBLE_DIGITS + 2 else f"{number:.{_DOUBLE_DIGITS}g}"


def decimal_text(text: str, column: Column, dialect: Dialect) -> str:
    """A number's canonical text written as the contract's dialect reads it back."""
    is_number = column.data_type.name in ("decimal", "integer", "bigint")
    return text.replace(".", dialect.decimal) if is_number and dialect.decimal != "." else text


def excel_serial(number: float, column: Column) -> str | None:
    """A date or time that a sheet holds as a bare serial number (1900 date system), or None where it cannot be one."""
    if column.data_type.name not in ("date", "timestamp") or int(number) not in _SERIAL_DAYS:
        return None
    seconds = (Decimal(repr(number)) * 86_400).to_integral_value()
    return (_EXCEL_EPOCH + dt.timedelta(seconds=int(seconds))).isoformat(sep=" ")
