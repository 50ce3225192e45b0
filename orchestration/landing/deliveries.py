"""The order in which deliveries replace one another, as a function of the deliveries alone.

Everything here is pure: whichever night picked a file up, and in whatever order, the same set of deliveries gives the same
placements, so the same ``raw``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal
from zoneinfo import ZoneInfo

from orchestration.landing.contract import Extract

_DAY = r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"
_DASHED = r"(?P<y>(?:19|20)\d{2})(?P<mark>[-_.])(?P<m>0[1-9]|1[0-2])(?:(?P=mark)(?P<d>0[1-9]|[12]\d|3[01]))?"
_MONTH = r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>)"
_TIME = r"(?:(?:[Tt _-])(?P<H>[01]\d|2[0-3])(?P<c>[-:_.]?)(?P<M>[0-5]\d)(?:(?P=c)(?P<S>[0-5]\d))?(?P<z>[Zz])?)?"
_PATTERNS = [re.compile(rf"(?<!\d){body}{_TIME}(?!\d)", re.ASCII) for body in (_DAY, _DASHED, _MONTH)]


def date_in_name(file_name: str) -> tuple[dt.datetime, bool] | None:
    """The last date (with its time, where there is one) in a file's name, and whether it is UTC (a trailing ``Z``).

    ``2026-10-31``, ``20261031``, ``2026-10`` and ``202610`` are read; a month counts from its first moment, so that any file
    dated within the month follows it.
    """
    base = PurePosixPath(file_name).name
    found: list[tuple[int, dt.datetime, bool]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(base):
            part = match.groupdict()
            try:
                moment = dt.datetime(
                    int(part["y"]),
                    int(part["m"]),
                    int(part["d"] or 1),
                    int(part["H"] or 0),
                    int(part["M"] or 0),
                    int(part["S"] or 0),
                )
            except ValueError:
                continue
            found.append((match.start(), moment, bool(part["z"])))
    if not found:
        return None
    _, moment, is_utc = max(found, key=lambda item: item[0])
    return moment, is_utc


def delivered_at(file_name: str, mtime_ns: int, extract: Extract, zone: ZoneInfo) -> tuple[dt.datetime, bool]:
    """The moment of delivery (naive UTC) and whether the file's name gives it; else it is the file's own time."""
    named = None if extract.delivery_order == "arrival" else date_in_name(file_name)
    if named is None:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=mtime_ns // 1000)
        return moment, False
    local, is_utc = named
    return (local if is_utc else local.replace(tzinfo=zone).astimezone(dt.UTC).replace(tzinfo=None)), True


@dataclass(frozen=True)
class Delivery:
    """One content seen under one name. ``rows`` are those that fit the contract, accepted or not."""

    file_name: str
    content_hash: str
    delivered_at: dt.datetime
    is_dated: bool
    mtime_ns: int
    rows: int


@dataclass(frozen=True)
class Placement:
    """Where a delivery stands: ``status`` landed puts its rows into ``raw`` under ``delivery_key``."""

    delivery: Delivery
    delivery_key: str
    status: Literal["landed", "duplicate", "refused"]
    reason: str | None = None


def place(deliveries: Iterable[Delivery], extract: Extract) -> list[Placement]:
    """Decide, in delivery order, which deliveries of one extract stand in ``raw``.

    Events: a content counts once, at its first delivery; later copies under any name are duplicates, except where a file
    changed and changed back, which is a correction. Full lists: a list equal to the one before it is a duplicate; one that
    came back after another list counts again where a date in its name or its own name's history says so; an empty list, or
    one under the contract's share of the last accepted one, is refused.
    """
    ordered = _keyed(deliveries)
    placements: list[Placement] = []
    first_place: dict[str, Delivery] = {}
    last_of_name: dict[str, str] = {}
    last_list: Delivery | None = None
    for key, delivery in ordered:
        earlier = first_place.get(delivery.content_hash)
        changed_back = last_of_name.get(delivery.file_name, delivery.content_hash) != delivery.content_hash
        last_of_name[delivery.file_name] = delivery.content_hash
        if extract.mode == "snapshot":
            is_same_list = last_list is not None and last_list.content_hash == delivery.content_hash
            came_back = not is_same_list and (delivery.is_dated or changed_back)
            counts = earlier is None or came_back
            reason = _doubt(delivery, last_list, extract) if counts else None
            if reason is not None:
                placements.append(Placement(delivery, key, "refused", reason))
                continue
            if counts:
                last_list = delivery
        else:
            counts = earlier is None or changed_back
        if counts:
            first_place.setdefault(delivery.content_hash, delivery)
            placements.append(Placement(delivery, key, "landed"))
        else:
            known = earlier or delivery
            placements.append(Placement(delivery, key, "duplicate", f"same content as {known.file_name}"))
    return placements


def delivery_key(moment: dt.datetime, file_name: str, rank: int = 1) -> str:
    """Sorts as text in the order of deliveries: moment, file name, then the ``rank``-th content under that name."""
    return f"{moment.isoformat(sep='T', timespec='microseconds')}Z {file_name} {rank:04d}"


def _keyed(deliveries: Iterable[Delivery]) -> Sequence[tuple[str, Delivery]]:
    """Deliveries in order with their sortable keys: moment, file name, then the n-th content under that name."""
    ordered = sorted(deliveries, key=lambda d: (d.delivered_at, d.file_name, d.mtime_ns, d.content_hash))
    keyed: list[tuple[str, Delivery]] = []
    rank = 0
    for index, delivery in enumerate(ordered):
        previous = ordered[index - 1] if index else None
        same = previous is not None and (previous.delivered_at, previous.file_name) == (
            delivery.delivered_at,
            delivery.file_name,
        )
        rank = rank + 1 if same else 1
        keyed.append((delivery_key(delivery.delivered_at, delivery.file_name, rank), delivery))
    return keyed


def _doubt(delivery: Delivery, last: Delivery | None, extract: Extract) -> str | None:
    if delivery.file_name in extract.accepted_small_files:
        return None
    if delivery.rows == 0:
        return f"the full list is empty; name it under accepted_small_files to accept it ({extract.place})"
    if last is not None and Decimal(delivery.rows) < extract.minimum_share_of_last * last.rows:
        return (
            f"the full list has {delivery.rows} usable rows, under {extract.minimum_share_of_last} of the {last.rows} of "
            f"{last.file_name}; name it under accepted_small_files to accept it ({extract.place})"
        )
    return None
