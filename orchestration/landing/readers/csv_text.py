"""CSV and TSV: pyarrow reads well-formed files, Python's csv module everything else, and both must agree with the account."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from orchestration.landing.contract import Extract
from orchestration.landing.errors import NeedsStrictReader, Refused, Waiting
from orchestration.landing.header import HeaderMap, map_header, matching_columns
from orchestration.landing.readers.base import Reading, Rejection, batches_of_rows, record_batch
from orchestration.landing.text_scan import Opener, TextAccount, Utf8Stream, is_utf8, scan_text

_DELIMITERS = ",;\t|"
_BLOCK_BYTES = 4 << 20
_SMALL_BYTES = 8 << 20


def read_csv(open_stream: Opener, extract: Extract, size_bytes: int, delimiter: str | None) -> Reading:
    """Open a CSV file: find encoding and delimiter, match the header.

    Raises:
        Waiting: empty, or without a final line break (half-written).
        Refused: in no declared encoding, a NUL, a record over the limit, a required column missing.

    """
    account = scan_text(open_stream, extract)
    if account.lines == 0:
        raise Waiting("the file is empty: not even a header yet")
    head = _Lines(open_stream, account.encoding).first_line()
    delimiter = delimiter or extract.dialect.delimiter or _detect_delimiter(head, extract)
    strict = StrictCsv(open_stream, extract, account, delimiter)
    if not account.ends_with_newline and extract.dialect.final_newline:
        raise Waiting(
            "the last line has no line break: half-written (if the system never writes one, set format.final_newline: false "
            f"in the contract, {extract.place})"
        )
    if not account.is_plain(delimiter) or '"' in head:
        return strict
    if account.longest_record > extract.limits.record_bytes:
        raise Refused(
            f"a record is {account.longest_record} bytes long, over the contract's limit of {extract.limits.record_bytes} "
            "(record_bytes)"
        )
    return FastCsv(strict, size_bytes)


def _detect_delimiter(head: str, extract: Extract) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([head], delimiter=delimiter), [])
        return matching_columns(extract, cells), len(cells)

    return max(_DELIMITERS, key=score)


class _Lines:
    """Lines of a text file with their line breaks, as the csv module wants them."""

    def __init__(self, open_stream: Opener, encoding: str) -> None:
        self._open_stream = open_stream
        self._encoding = encoding

    def __iter__(self) -> Iterator[str]:
        with io.BufferedReader(Utf8Stream(self._open_stream(), self._encoding), 1 << 20) as stream:
            yield from io.TextIOWrapper(stream, encoding="utf-8", newline="")

    def first_line(self) -> str:
        """The first line that is not blank."""
        return next((line for line in self if line.strip("\r\n")), "")


class StrictCsv(Reading):
    """Record by record with the csv module in strict mode."""

    def __init__(self, open_stream: Opener, extract: Extract, account: TextAccount, delimiter: str) -> None:
        self.account = account
        self.delimiter = delimiter
        self.open_stream = open_stream
        self._place = extract.place
        self._limit = extract.limits.record_bytes
        self._lines = _Lines(open_stream, account.encoding)
        header = next(self._records(), None)
        if header is None:
            raise Refused("holds blank lines only")
        self.header: HeaderMap = map_header(extract, header[1])
        super().__init__(extract, tuple(self.header.positions), self.header.extra, account.encoding)

    def _records(self) -> Iterator[tuple[int, list[str], str]]:
        """First line, fields and text of every record that is not blank."""
        csv.field_size_limit(self._limit)
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for line in self._lines:
                taken.append(line)
                yield line

        reader = csv.reader(lines(), delimiter=self.delimiter, strict=True)
        first = 1
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                # Beyond a broken quote nobody knows where records begin, so no part of the file may be trusted.
                raise Refused(
                    f"line {first}: {_explain(error)}; where records end is uncertain from there on"
                ) from error
            if fields is None:
                break
            if fields:
                yield first, fields, "".join(taken).rstrip("\r\n")
            taken.clear()
            first = reader.line_num + 1
        if reader.line_num != self.account.lines:
            raise Refused(f"{self.account.lines} lines in the file, but the reader accounts for {reader.line_num}")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See ``Reading``."""
        self.rejections = []
        self.records = 0
        yield from batches_of_rows(self.extract, self._rows())

    def _rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        records = self._records()
        next(records, None)
        width, positions = self.header.width, self.header.positions
        for line_no, fields, text in records:
            self.records += 1
            if len(fields) == width:
                yield line_no, {name: fields[place] for name, place in positions.items()}
            else:
                message = f"the row has {len(fields)} fields, the header {width}"
                self.rejections.append(Rejection(line_no, None, "field_count", message, text))

    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """See ``Reading``."""
        wanted = set(cells_by_line)
        found: dict[int, str] = {}
        for line_no, _, text in self._records():
            if line_no in wanted:
                found[line_no] = text
                if len(found) == len(wanted):
                    break
        return found


class FastCsv(Reading):
    """Well-formed files with pyarrow; its rows must be as many as the account's records."""

    def __init__(self, strict: StrictCsv, size_bytes: int) -> None:
        super().__init__(strict.extract, strict.columns, strict.extra_columns, strict.encoding)
        self._strict = strict
        self._size_bytes = size_bytes

    @property
    def is_strict(self) -> bool:
        """False: the csv module decides where this reader cannot."""
        return False

    def strict(self) -> Reading:
        """See ``Reading``."""
        return self._strict

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See ``Reading``."""
        account = self._strict.account
        self.records = 0
        next_line = 2
        try:
            for table in self._blocks():
                starts, next_line = self._line_numbers(table, next_line)
                self.records += len(starts)
                arrays = {name: table.column(f"c{place}") for name, place in self._strict.header.positions.items()}
                yield record_batch(self.extract, arrays, starts)
        except pa.ArrowInvalid as error:
            raise NeedsStrictReader(str(error)) from error
        if self.records != account.records - 1 or next_line != account.lines + 1:
            raise NeedsStrictReader(f"{account.records - 1} records counted, {self.records} read")

    def _blocks(self) -> Iterator[pa.RecordBatch]:
        header, account = self._strict.header, self._strict.account
        names = [f"c{place}" for place in range(header.width)]
        used = names if account.has_quoted_newlines else [f"c{place}" for place in header.positions.values()]
        is_small = self._size_bytes <= _SMALL_BYTES
        block = max(_BLOCK_BYTES, 2 * self.extract.limits.record_bytes)
        raw = self._strict.open_stream()
        stream = raw if is_utf8(account.encoding) else io.BufferedReader(Utf8Stream(raw, account.encoding), 1 << 20)
        with stream:
            yield from pacsv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=pacsv.ReadOptions(
                    column_names=names, skip_rows=1, block_size=block, use_threads=not is_small
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self._strict.delimiter,
                    newlines_in_values=account.has_quoted_newlines,
                    ignore_empty_lines=True,
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=used,
                    column_types=dict.fromkeys(used, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )

    def _line_numbers(self, batch: pa.RecordBatch, first: int) -> tuple[pa.Array, int]:
        """Physical line on which each row starts, and the line after the batch."""
        if not self._strict.account.has_quoted_newlines:
            after = first + batch.num_rows
            return pa.array(np.arange(first, after, dtype=np.int64)), after
        breaks: pa.Array = pa.array([1] * batch.num_rows, pa.int64())
        for column in batch.columns:
            inner = pc.count_substring(column, "\n")
            breaks = pc.add(breaks, pc.fill_null(inner, 0).cast(pa.int64()))
        ends = pc.cumulative_sum(breaks, start=first)
        if batch.num_rows == 0:
            return ends, first
        return pc.subtract(ends, breaks), ends[-1].as_py()

    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """See ``Reading``."""
        if self._strict.account.has_quoted_newlines:
            return self._strict.raw_texts(cells_by_line)
        wanted = sorted(cells_by_line)
        found: dict[int, str] = {}
        lines = iter(_Lines(self._strict.open_stream, self._strict.account.encoding))
        for before, line_no in pairwise([0, *wanted]):
            for _ in range(line_no - before - 1):
                next(lines, None)
            found[line_no] = next(lines, "").rstrip("\r\n")
        return found


def _explain(error: csv.Error) -> str:
    message = str(error)
    if "unexpected end of data" in message:
        return "a quote is opened and never closed"
    if "field limit" in message:
        return "a field is longer than the contract's limit (record_bytes)"
    return f"a quote neither doubled nor at the end of its field ({message})"
