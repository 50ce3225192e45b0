"""Which column of a file is which column of the contract."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.landing.contract import Extract
from orchestration.landing.errors import Refused


def header_key(text: str) -> str:
    """The form in which header names are compared: full-width letters, case and outer blanks do not count."""
    return unicodedata.normalize("NFKC", text).strip().strip("\ufeff").casefold()


@dataclass(frozen=True)
class HeaderMap:
    """``positions[name]`` is the place (0-based) of a contract column in the file; ``extra`` the headers nobody asked for."""

    width: int
    positions: dict[str, int]
    extra: tuple[str, ...]


def matching_columns(extract: Extract, headers: Sequence[str]) -> int:
    """How many of ``headers`` the contract knows; used to recognise the delimiter."""
    known = {header_key(h) for column in extract.columns for h in (column.name, *column.headers)}
    return sum(header_key(header) in known for header in headers)


def map_header(extract: Extract, headers: Sequence[str]) -> HeaderMap:
    """Match a file's header cells with the contract.

    Raises:
        Refused: a required column is missing, or two headers mean the same column; names column and contract line.

    """
    owner = {header_key(h): column.name for column in extract.columns for h in (column.name, *column.headers)}
    positions: dict[str, int] = {}
    extra: list[str] = []
    for place, header in enumerate(headers):
        name = owner.get(header_key(header))
        if name is None:
            extra.append(header.strip())
        elif name in positions:
            column = extract.column(name)
            raise Refused(
                f"columns {headers[positions[name]]!r} and {header!r} both mean {name} (contract {column.place})"
            )
        else:
            positions[name] = place
    missing = [c for c in extract.columns if c.required and c.name not in positions]
    if missing:
        shown = "; ".join(
            f"{c.name}, also accepted as {', '.join(c.headers)} ({c.place})" if c.headers else f"{c.name} ({c.place})"
            for c in missing
        )
        found = ", ".join(header.strip() or "(empty)" for header in headers[:40])
        raise Refused(f"required column missing: {shown}; the file has {found}")
    return HeaderMap(len(headers), positions, tuple(extra))
