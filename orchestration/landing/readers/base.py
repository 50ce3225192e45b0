"""What every reader gives: text cells under the contract's names, and an account of the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from orchestration.landing.contract import Extract

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Rejection:
    """One row that cannot go into ``raw``. ``cells`` None: the row's shape is wrong, so no mended contract releases it."""

    line_no: int
    column: str | None
    code: str
    message: str
    raw_text: str
    cells: Mapping[str, str | None] | None = None


def batch_schema(extract: Extract) -> pa.Schema:
    """Text columns in contract order, then ``_line_no`` (bigint)."""
    fields = [pa.field(column.name, pa.string()) for column in extract.columns]
    return pa.schema([*fields, pa.field("_line_no", pa.int64())])


class Reading(ABC):
    """An opened file, its header already matched with the contract.

    ``rejections`` are rows whose shape is wrong; complete once ``batches`` is exhausted. ``records`` is the independent
    count of rows, theirs included.
    """

    def __init__(
        self, extract: Extract, columns: Sequence[str], extra_columns: Sequence[str], encoding: str | None
    ) -> None:
        self.extract = extract
        self.columns = tuple(columns)
        self.extra_columns = tuple(extra_columns)
        self.encoding = encoding
        self.records = 0
        self.rejections: list[Rejection] = []

    @abstractmethod
    def batches(self) -> Iterator[pa.RecordBatch]:
        """All well-formed rows from the first, as ``batch_schema``; may be called again.

        Raises:
            Waiting, Refused: the file as a whole cannot be read.
            NeedsStrictReader: this reader cannot account for every row.

        """

    @abstractmethod
    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """The rows starting at the given lines as they stand in the file."""

    @property
    def is_strict(self) -> bool:
        """Whether there is no stricter reader to turn to."""
        return True

    def strict(self) -> Reading:
        """The reader that decides when this one cannot account for every row."""
        return self


def record_batch(extract: Extract, arrays: Mapping[str, pa.Array], line_numbers: pa.Array) -> pa.RecordBatch:
    """A batch of ``batch_schema``; columns the file does not have are null."""
    empty = pa.nulls(len(line_numbers), pa.string())
    return pa.RecordBatch.from_arrays(
        [arrays.get(column.name, empty) for column in extract.columns] + [line_numbers], schema=batch_schema(extract)
    )


def batches_of_rows(extract: Extract, rows: Iterable[tuple[int, Mapping[str, str | None]]]) -> Iterator[pa.RecordBatch]:
    """Gather rows (line number, cells by contract name; empty text counts as none) into batches."""
    names = [column.name for column in extract.columns]
    cells: list[list[str | None]] = [[] for _ in names]
    lines: list[int] = []

    def gathered() -> pa.RecordBatch:
        arrays = {name: pa.array(values, pa.string()) for name, values in zip(names, cells, strict=True)}
        return record_batch(extract, arrays, pa.array(lines, pa.int64()))

    for line_no, row in rows:
        lines.append(line_no)
        for values, name in zip(cells, names, strict=True):
            values.append(row.get(name) or None)
        if len(lines) >= BATCH_ROWS:
            yield gathered()
            cells = [[] for _ in names]
            lines = []
    if lines:
        yield gathered()
