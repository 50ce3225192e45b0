"""The extract contract as landing uses it: what each extract's files hold and how they are written.

The dbt source YAML of the staging models is the one place where it stands (``models/staging/<source>/_<source>__sources.yml``);
dbt reads columns and descriptions, landing also the ``meta`` below each table and column.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Literal

# Part of every reading's fingerprint: raise it when the same file and contract would give other rows than before.
READER_VERSION = 1

Person = Literal["customer", "device", "identifier", "contact", "text"]
DeliveryOrder = Literal["file_name_date", "arrival"]


@dataclass(frozen=True)
class DataType:
    """A column type: ``name`` is varchar, integer, bigint, decimal, date, timestamp or boolean."""

    name: str
    precision: int = 0
    scale: int = 0

    @property
    def sql(self) -> str:
        """As written in DDL."""
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name


def parse_data_type(text: str) -> DataType:
    """``decimal(18,4)`` and friends.

    Raises:
        ValueError: a type landing does not know.

    """
    cleaned = text.strip().lower()
    if cleaned in ("varchar", "integer", "bigint", "date", "timestamp", "boolean"):
        return DataType(cleaned)
    match = re.fullmatch(r"decimal\((\d{1,2})\s*,\s*(\d{1,2})\)", cleaned)
    if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return DataType("decimal", int(match[1]), int(match[2]))
    raise ValueError(f"{text!r} is not one of varchar, integer, bigint, decimal(p,s), date, timestamp, boolean")


@dataclass(frozen=True)
class Column:
    """One contract column. ``headers`` are further names accepted in files; ``place`` is ``file:line`` of its definition.

    ``person`` says what of a customer it holds, and so what becomes of it when the customer is erased: the key of the
    ``customer``, the ``device`` and an ``identifier`` (a card, a hash of the contact) get a pseudonym, ``contact`` is emptied,
    ``text`` is replaced.
    """

    name: str
    data_type: DataType
    required: bool = False
    headers: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    values: tuple[str, ...] = ()
    person: Person | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class Limits:
    """What a file may cost.

    ``file_bytes``: its content, unpacked. ``record_bytes``: one line or field. ``expansion``: unpacked over packed size, beyond
    64 MiB. ``rejected_rows``: rows in quarantine, beyond which the file as a whole is not what was agreed.
    ``sheet_cells``: the rectangle that a sheet's cells span.
    """

    file_bytes: int = 64 << 30
    record_bytes: int = 4 << 20
    expansion: int = 200
    rejected_rows: int = 100_000
    sheet_cells: int = 50_000_000


@dataclass(frozen=True)
class Dialect:
    """How text cells are written.

    ``delimiter`` None: detected from the header line. ``date_formats`` are ``strptime`` patterns for dates and times,
    tried after the ISO-like forms that need no declaration. ``final_newline`` False: a file may lawfully end without a
    line break, so a missing one is no sign of a half-written file.
    """

    encodings: tuple[str, ...] = ("utf-8", "utf-16", "gb18030")
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    date_formats: tuple[str, ...] = ()
    final_newline: bool = True
    sheet: str | None = None


@dataclass(frozen=True)
class Extract:
    """One kind of file: its columns in contract order, its key, and how its deliveries replace one another.

    ``delivery_order``: ``file_name_date`` (date in the name, else the file's own time), ``arrival`` (the file's own time)
    or the name of a version column, whose value then orders the versions of a key before the file does.
    ``minimum_share_of_last``: a full list with fewer rows than this share of the last one is refused.
    """

    source: str
    name: str
    table: str
    mode: Literal["events", "snapshot"]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    optional: bool = False
    one_of: tuple[str, ...] = ()
    delivery_order: str = "file_name_date"
    minimum_share_of_last: Decimal = Decimal("0.5")
    accepted_small_files: tuple[str, ...] = ()
    dialect: Dialect = Dialect()
    limits: Limits = Limits()
    place: str = field(default="", compare=False)

    @property
    def full_name(self) -> str:
        """``<source>/<extract>``, as its folder is called."""
        return f"{self.source}/{self.name}"

    @property
    def version_column(self) -> Column | None:
        """The column that orders versions of a key, where the contract names one."""
        return next((column for column in self.columns if column.name == self.delivery_order), None)

    def of_person(self, person: Person) -> list[str]:
        """Names of the columns that hold this of a customer."""
        return [column.name for column in self.columns if column.person == person]

    def column(self, name: str) -> Column:
        """The column called ``name`` (canonical)."""
        return next(column for column in self.columns if column.name == name)

    @cached_property
    def reading_hash(self) -> str:
        """Changes when the contract would take a file otherwise; places and descriptions do not count.

        The part before the dash is about values and keys: it may change any row. What follows (header names, limits, which
        lists are accepted) can only change files that were refused, have rows in quarantine or columns left out.
        """
        everything = asdict(replace(self, place="", columns=tuple(replace(c, place="") for c in self.columns)))
        rest = {name: everything.pop(name) for name in ("limits", "minimum_share_of_last", "accepted_small_files")}
        rest["headers"] = [column.pop("headers") for column in everything["columns"]]
        for column in everything["columns"]:
            del column["person"]
        return f"{_fingerprint((READER_VERSION, everything))}-{_fingerprint(rest)}"


def _fingerprint(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Contract:
    """All extracts by ``(source, extract)``."""

    extracts: dict[tuple[str, str], Extract]

    def find(self, source: str, name: str) -> Extract | None:
        """The extract in folder ``<source>/<name>``."""
        return self.extracts.get((source, name))
