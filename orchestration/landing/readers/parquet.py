"""Parquet: typed columns become the text that means the same, so that one set of rules reads every format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.landing.contract import Column, Extract
from orchestration.landing.errors import Refused, Waiting
from orchestration.landing.header import map_header
from orchestration.landing.readers.base import Reading, Rejection, record_batch
from orchestration.landing.readers.numbers import DamagedNumberError, decimal_text, double_text
from orchestration.landing.text_scan import Opener

_MAGIC = b"PAR1"
_BATCH_ROWS = 65_536
_BATCH_BYTES = 64 << 20
_FREE_BYTES = 1 << 30


class ParquetReading(Reading):
    """Row groups one after the other; ``_line_no`` is the row's number from 1.

    Raises (on construction):
        Waiting: without the footer that is written last.
        Refused: unreadable, over the contract's limits, or a column of a nested type.
    """

    def __init__(self, open_stream: Opener, extract: Extract, size_bytes: int) -> None:
        self._open_stream = open_stream
        with open_stream() as stream:
            head = stream.read(4)
            stream.seek(max(0, size_bytes - 4))
            tail = stream.read(4)
        if head != _MAGIC[: len(head)]:
            raise Refused("not a parquet file")
        if size_bytes < 12 or tail != _MAGIC:
            raise Waiting("the parquet footer is missing: half-written")
        self._allowed = min(extract.limits.file_bytes, max(_FREE_BYTES, size_bytes * extract.limits.expansion))
        with open_stream() as stream, self._file(stream) as file:
            self._check_size(file.metadata, extract)
            schema = file.schema_arrow
            self._rows = file.metadata.num_rows
        header = map_header(extract, schema.names)
        self._names = {name: schema.names[place] for name, place in header.positions.items()}
        for name, delivered in self._names.items():
            field_type = schema.types[header.positions[name]]
            if pa.types.is_nested(field_type):
                raise Refused(
                    f"column {delivered!r} is of type {field_type}, which holds no single value ({extract.column(name).place})"
                )
        self._batch_rows = self._rows_at_once(schema)
        super().__init__(extract, tuple(self._names), header.extra, None)

    @staticmethod
    def _file(stream: object, as_dictionaries: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(stream, read_dictionary=as_dictionaries)
        except (pa.ArrowException, OSError) as error:
            raise Refused(f"not a readable parquet file: {error}") from error

    def _rows_at_once(self, schema: pa.Schema) -> int:
        """How many rows fit into the memory: a dictionary holds a long text once, and every row that names it gets a copy."""
        texts = [name for name in self._names.values() if _is_text(schema.field(name).type)]
        longest = 1
        with self._open_stream() as stream, self._file(stream, texts) as file:
            try:
                for group in range(file.num_row_groups if texts else 0):
                    first = next(file.iter_batches(1, row_groups=[group], columns=texts), None)
                    for column in first.columns if first is not None else []:
                        longest = max(longest, pc.max(pc.binary_length(column.dictionary)).as_py() or 0)
            except (pa.ArrowException, OSError) as error:
                raise Refused(f"not a readable parquet file: {error}") from error
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // longest))

    def _check_size(self, metadata: pq.FileMetaData, extract: Extract) -> None:
        unpacked = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
        # A column of one repeated value packs millions of rows into some bytes: rows count, too.
        unpacked = max(unpacked, metadata.num_rows * len(extract.columns))
        if unpacked > self._allowed:
            raise Refused(f"unpacks to {unpacked} bytes or more, over the contract's limit (file_bytes, expansion)")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See ``Reading``."""
        self.rejections = []
        self.records = self._rows
        row = 1
        text_bytes = 0
        with self._open_stream() as stream, self._file(stream) as file:
            try:
                for batch in file.iter_batches(batch_size=self._batch_rows, columns=list(self._names.values())):
                    text_bytes += self._text_bytes(batch, row)
                    if text_bytes > self._allowed:
                        raise Refused(
                            f"unpacks to more than {self._allowed} bytes, the contract's limit (file_bytes, expansion)"
                        )
                    lines = pa.array(np.arange(row, row + batch.num_rows, dtype=np.int64))
                    row += batch.num_rows
                    yield self._text_batch(batch, lines)
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise Refused(f"row {row} or after it cannot be read: {error}") from error
        if row - 1 != self.records:
            raise Refused(f"the footer tells of {self.records} rows, but {row - 1} could be read")

    def _text_bytes(self, batch: pa.RecordBatch, row: int) -> int:
        """Bytes of all texts of a batch that begins at ``row``."""
        total, limit = 0, self.extract.limits.record_bytes
        for array in batch.columns:
            if _is_text(array.type):
                lengths = pc.binary_length(array.dictionary_decode() if pa.types.is_dictionary(array.type) else array)
                if (longest := pc.max(lengths).as_py() or 0) > limit:
                    raise Refused(
                        f"row {row + pc.index(lengths, longest).as_py()}: a field is {longest} bytes long, over the contract's "
                        f"limit of {limit} (record_bytes)"
                    )
                total += pc.sum(lengths).as_py() or 0
        return total

    def _text_batch(self, batch: pa.RecordBatch, lines: pa.Array) -> pa.RecordBatch:
        damaged: dict[int, tuple[str, str]] = {}
        arrays = {
            name: _text(batch.column(delivered), self.extract.column(name), self.extract, damaged)
            for name, delivered in self._names.items()
        }
        if damaged:
            cells = {name: array.to_pylist() for name, array in arrays.items()}
            for place in sorted(damaged):
                row = {name: values[place] for name, values in cells.items()}
                column, message = damaged[place]
                line_no = lines[place].as_py()
                self.rejections.append(Rejection(line_no, column, "damaged_number", message, _json(row)))
            keep = pa.array([place not in damaged for place in range(len(lines))])
            arrays = {name: array.filter(keep) for name, array in arrays.items()}
            lines = lines.filter(keep)
        return record_batch(self.extract, arrays, lines)

    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """See ``Reading``; a parquet row is shown as JSON."""
        return {line_no: _json(cells) for line_no, cells in cells_by_line.items()}


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


def _json(cells: Mapping[str, str | None]) -> str:
    return json.dumps({name: value for name, value in cells.items() if value is not None}, ensure_ascii=False)


def _text(array: pa.Array, column: Column, extract: Extract, damaged: dict[int, tuple[str, str]]) -> pa.Array:
    """The array as text; empty text becomes null. Notes rows whose number has lost digits in ``damaged``."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _text(array.dictionary_decode(), column, extract, damaged)
    if pa.types.is_floating(kind):
        texts: list[str | None] = []
        for place, number in enumerate(array.to_pylist()):
            try:
                text = None if number is None else double_text(number, column)
            except DamagedNumberError as error:
                damaged.setdefault(place, (column.name, str(error)))
                text = str(number)
            texts.append(None if text is None else decimal_text(text, column, extract.dialect))
        return pa.array(texts, pa.string())
    if pa.types.is_timestamp(kind):
        array = array.cast(pa.timestamp("us", tz=None if kind.tz is None else "UTC"), safe=False)
    text_array = array.cast(pa.string())
    if pa.types.is_decimal(kind) and extract.dialect.decimal != ".":
        text_array = pc.replace_substring(text_array, ".", extract.dialect.decimal)
    return pc.if_else(pc.equal(text_array, ""), pa.scalar(None, pa.string()), text_array)
