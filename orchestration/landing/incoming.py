"""New contents on their way into ``raw``, and their rows as one Arrow stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.landing.contract import Extract
from orchestration.landing.errors import LandingError, NeedsStrictReader, Refused, Waiting
from orchestration.landing.inventory import FoundFile
from orchestration.landing.readers import Reading, Rejection, batch_schema

# DuckDB takes a stream batch by batch; the few hundred rows of one small file would keep it busy with overhead.
_STREAM_ROWS = 100_000


@dataclass
class Incoming:
    """A new content on its way into ``raw`` under a provisional ``delivery_key``.

    ``rejections`` and ``records`` are set by ``load``; ``preloaded`` holds a small file's rows. ``scrub`` takes erased
    customers out of the rows.
    """

    found: FoundFile
    file_id: str
    reading: Reading
    delivered_at: dt.datetime
    is_dated: bool
    delivery_key: str
    preloaded: list[pa.RecordBatch] | None = None
    rejections: list[Rejection] = field(default_factory=list)
    records: int = 0
    scrub: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The file's rows."""
        rows = iter(self.preloaded) if self.preloaded is not None else self.reading.batches()
        return rows if self.scrub is None else map(self.scrub, rows)

    def preload(self) -> None:
        """Read the whole file now, with the strict reader where the fast one cannot account for it.

        Raises:
            Waiting, Refused: the file as a whole cannot be read.

        """
        try:
            self.preloaded = list(self.reading.batches())
        except NeedsStrictReader:
            self.reading = self.reading.strict()
            self.preloaded = list(self.reading.batches())


class FileFailed(Exception):
    """One file of a batch cannot go in; the transaction must be rolled back and tried without it."""

    def __init__(self, incoming: Incoming, error: Refused | Waiting) -> None:
        super().__init__(str(error))
        self.incoming, self.error = incoming, error


@contextmanager
def unreadable() -> Iterator[None]:
    """Whatever a reader raises over a file is about that file: it stays out, with a reason, and the night goes on.

    Raises:
        Waiting, Refused, NeedsStrictReader: never anything else that a file can cause.

    """
    try:
        yield
    except OSError as error:
        raise Waiting(f"cannot be read now: {error.strerror or error}") from error
    except (Waiting, Refused, NeedsStrictReader, LandingError, duckdb.Error, MemoryError):
        raise
    except Exception as error:
        raise Refused(f"cannot be read: {type(error).__name__}: {error}") from error


@contextmanager
def blame(incoming: Incoming) -> Iterator[None]:
    """Turn what goes wrong with one file of a batch into ``FileFailed``."""
    try:
        with unreadable():
            yield
    except (Refused, Waiting) as error:
        raise FileFailed(incoming, error) from error


class RowStream:
    """A batch's rows with ``_file_no``, their file's place in the batch.

    DuckDB turns a Python error in its input into text; ``error`` keeps it. With ``counts``, rows are added to their file's
    ``records``.
    """

    def __init__(self, extract: Extract, batch: Sequence[Incoming], *, counts: bool) -> None:
        self.error: Exception | None = None
        self._batch = batch
        self._counts = counts
        schema = batch_schema(extract).append(pa.field("_file_no", pa.int32()))
        self.reader = pa.RecordBatchReader.from_batches(schema, self._guarded())

    def _guarded(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from _merged(self._numbered())
        except Exception as error:
            self.error = error
            raise

    def _numbered(self) -> Iterator[pa.RecordBatch]:
        for number, incoming in enumerate(self._batch):
            try:
                with blame(incoming):
                    for rows in incoming.batches():
                        if self._counts:
                            incoming.records += rows.num_rows
                        yield rows.append_column("_file_no", pa.array(np.full(rows.num_rows, number, np.int32)))
            except NeedsStrictReader:
                incoming.reading = incoming.reading.strict()
                raise


def _merged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _STREAM_ROWS:
            yield from _combined(held)
            held, rows = [], 0
    if held:
        yield from _combined(held)


def _combined(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if len(batches) == 1:
        yield batches[0]
    else:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches()
