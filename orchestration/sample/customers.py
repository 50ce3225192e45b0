"""Customers and the days they buy: BG/NBD purchasing with Gamma-Gamma spend, in chunks of bounded size.

Nothing else in the chain feeds back into when a customer buys: purchasing is exactly the textbook process, so that a
fitted model can be held against the parameters it came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from orchestration.sample.model import MODEL
from orchestration.sample.spec import SampleSpec

CHUNK = 20_000
# Registrations per month fall from this multiple of the later level: the customer programme starts with the period.
FIRST_MONTH_RUSH = 3.0
NEVER_BUYS_SHARE = 0.02


def _random_state(spec: SampleSpec, chunk: int) -> np.random.RandomState:
    """The legacy generator: numpy promises never to change its stream, which it does not for the newer ones."""
    digest = hashlib.md5(f"{spec.seed}/customers/{chunk}".encode(), usedforsecurity=False).digest()
    return np.random.RandomState(np.frombuffer(digest, dtype="<u4").astype(np.uint32))


def _first_days(spec: SampleSpec, rng: np.random.RandomState, size: int) -> np.ndarray:
    """Day of registration and first order, as a fractional offset from the first day."""
    weights = 1 + FIRST_MONTH_RUSH * np.exp(-np.arange(spec.months) / 2.0)
    starts = np.array([(start - spec.first_day).days for start in (*spec.month_starts, spec.end)], dtype=float)
    month = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random_sample(size), side="right")
    month = np.minimum(month, spec.months - 1)
    return np.asarray(starts[month] + rng.random_sample(size) * (starts[month + 1] - starts[month]))


def simulate_customers(spec: SampleSpec) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Chunks of (customers, orders).

    customers: ``customer_no`` (from 1), ``first_day`` (offset in days), ``spend_scale`` (CNY; an order is this times a
    gamma of shape p), ``buys``. orders: ``customer_no``, ``order_seq`` (0 = first order), ``day`` (offset),
    ``drops_out`` (the customer never buys again by the process, whether or not the period ends first).
    """
    length = float((spec.end - spec.first_day).days)
    for chunk, offset in enumerate(range(0, spec.customer_count, CHUNK)):
        size = min(CHUNK, spec.customer_count - offset)
        rng = _random_state(spec, chunk)
        rate_per_day = rng.gamma(MODEL.bgnbd_r, 1 / MODEL.bgnbd_alpha, size) / 7
        drop_chance = rng.beta(MODEL.bgnbd_a, MODEL.bgnbd_b, size)
        spend_scale = MODEL.spend_v / rng.gamma(MODEL.spend_q, 1.0, size)
        first = _first_days(spec, rng, size)
        buys = rng.random_sample(size) >= NEVER_BUYS_SHARE
        number = np.arange(offset + 1, offset + size + 1, dtype=np.int64)

        alive = np.flatnonzero(buys)
        now = first[alive]
        columns: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = [
            (number[alive], np.zeros(len(alive), np.int32), now.astype(np.int32), np.zeros(len(alive), bool))
        ]
        sequence = 0
        while len(alive):
            sequence += 1
            now = now + rng.exponential(1.0, len(alive)) / np.maximum(rate_per_day[alive], 1e-12)
            inside = now < length
            alive, now = alive[inside], now[inside]
            drops = rng.random_sample(len(alive)) < drop_chance[alive]
            # Orders of one day count as one, so a second one on the day of registration adds nothing but a puzzle: it
            # could lie before the registration.
            later = np.floor(now) > np.floor(first[alive])
            orders_now = (np.full(later.sum(), sequence, np.int32), now[later].astype(np.int32), drops[later])
            columns.append((number[alive[later]], *orders_now))
            alive, now = alive[~drops], now[~drops]

        customers = pa.table(
            {"customer_no": number, "first_day": first.astype(np.int32), "spend_scale": spend_scale, "buys": buys}
        )
        names = ("customer_no", "order_seq", "day", "drops_out")
        orders = pa.table({name: np.concatenate([part[i] for part in columns]) for i, name in enumerate(names)})
        yield customers, orders
