"""Excel workbooks: one sheet, chosen by the contract."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import python_calamine

from orchestration.landing.contract import Column, Extract, Limits
from orchestration.landing.errors import Refused, Waiting
from orchestration.landing.header import map_header
from orchestration.landing.readers.base import Reading, Rejection, batches_of_rows
from orchestration.landing.readers.numbers import DamagedNumberError, decimal_text, double_text, excel_serial
from orchestration.landing.text_scan import Opener

_FREE_BYTES = 64 << 20
_WORKBOOK = "xl/workbook.xml"
_SHARED_TEXTS = "xl/sharedstrings.xml"
_END_OF_ZIP = b"PK\x05\x06"
_END_BYTES = 22
_REFERENCE = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^<>]{0,200}?\br\s*=\s*[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_REFERENCE_BYTES = 256
_END_OF_TEXT = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si\s*/>")
_SHARED_TEXT = re.compile(rb"\bt\s*=\s*[\"']s[\"'][^<>]{0,200}>\s{0,20}<(?:\w+:)?v>\s{0,20}([0-9]{1,9})\s{0,20}<")


class XlsxReading(Reading):
    """Rows below the first row that is not blank, which is the header; ``_line_no`` is the sheet's row number.

    Raises (on construction):
        Waiting: the archive's end is missing.
        Refused: unreadable, over the contract's limits, no such sheet, or several and none is named.
    """

    def __init__(self, open_stream: Opener, extract: Extract) -> None:
        with open_stream() as stream:
            content = stream.read()
        _check_archive(content, extract.limits)
        rows = _sheet_rows(content, extract)
        header_row = next(rows, None)
        if header_row is None:
            raise Refused("the sheet is empty: no header row")
        labels = ["" if cell is None else str(cell) for cell in header_row[1]]
        while labels and not labels[-1].strip():
            labels.pop()
        header = map_header(extract, labels)
        self._width = len(labels)
        self._positions = header.positions
        self._rows = list(rows)
        super().__init__(extract, tuple(header.positions), [name for name in header.extra if name], None)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See ``Reading``."""
        self.rejections = []
        self.records = len(self._rows)
        yield from batches_of_rows(self.extract, self._texts())

    def _texts(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        for line_no, cells in self._rows:
            row: dict[str, str | None] = {}
            try:
                if any(cell not in ("", None) for cell in cells[self._width :]):
                    raise _RowError(None, "field_count", f"a cell beyond the header's {self._width} columns")
                for name, place in self._positions.items():
                    value = cells[place] if place < len(cells) else None
                    row[name] = _text(value, self.extract.column(name), self.extract)
                    _check_length(row[name], line_no, name, self.extract.limits.record_bytes)
            except _RowError as error:
                self.rejections.append(Rejection(line_no, error.column, error.code, error.message, _json(cells)))
                continue
            yield line_no, row

    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """See ``Reading``; a sheet's row is shown as a JSON list."""
        return {line_no: _json(cells) for line_no, cells in self._rows if line_no in cells_by_line}


class _RowError(Exception):
    def __init__(self, column: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.column, self.code, self.message = column, code, message


def _check_archive(content: bytes, limits: Limits) -> None:
    """Unpack the archive once, counting, before a reader does it without a limit."""
    if not content.startswith(b"PK"[: len(content)]):
        raise Refused("not an xlsx file")
    end = content.rfind(_END_OF_ZIP)
    if end < 0 or len(content) < end + _END_BYTES + int.from_bytes(content[end + 20 : end + 22], "little"):
        raise Waiting("the end of the xlsx archive is missing: half-written")
    allowed = min(limits.file_bytes, max(_FREE_BYTES, len(content) * limits.expansion))
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _WORKBOOK not in archive.namelist():
                raise Refused(f"not an xlsx file: the archive has no {_WORKBOOK}")
            copies = _Copies()
            # The shared texts come first: the sheets name them by number.
            for member in sorted(archive.infolist(), key=lambda member: member.filename.lower() != _SHARED_TEXTS):
                span = _Span(limits.sheet_cells)
                is_texts = member.filename.lower() == _SHARED_TEXTS
                is_xml = member.filename.lower().endswith(".xml")
                copies.begin()
                with archive.open(member) as stream:
                    while piece := stream.read(1 << 20):
                        total += len(piece)
                        if is_texts:
                            copies.learn(piece)
                        elif is_xml:
                            span.feed(piece)
                            copies.feed(piece)
                        if total + copies.total > allowed:
                            raise Refused(
                                f"unpacks to more than {allowed} bytes, the contract's limit (file_bytes, expansion)"
                            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Refused(f"not a readable xlsx file: {error}") from error


class _Copies:
    """The bytes of the texts that a workbook holds once and its cells name by number: a reader copies one for every cell."""

    def __init__(self) -> None:
        self.total = 0
        self._lengths: list[int] = []
        self._open = 0
        self._tail = b""

    def begin(self) -> None:
        """Begin with another part of the archive."""
        self._tail = b""

    def learn(self, piece: bytes) -> None:
        """Take the next piece of the shared texts."""
        text, start = self._tail + piece, 0
        for match in _END_OF_TEXT.finditer(text):
            self._lengths.append(self._open + match.start() - start)
            self._open, start = 0, match.end()
        kept = max(start, len(text) - _REFERENCE_BYTES)
        self._open += kept - start
        self._tail = text[kept:]

    def feed(self, piece: bytes) -> None:
        """Take the next piece of a sheet."""
        text, end = self._tail + piece, 0
        for match in _SHARED_TEXT.finditer(text):
            number, end = int(match[1]), match.end()
            if number < len(self._lengths):
                self.total += self._lengths[number]
        self._tail = text[max(end, len(text) - _REFERENCE_BYTES) :]


class _Span:
    """The rectangle that a sheet's cells span: a reader allocates all of it, be there two cells or a billion."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail = b""
        self._rows: list[int] = []
        self._columns: list[int] = []

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the sheet's XML.

        Raises:
            Refused: over the limit.

        """
        text = self._tail + piece
        self._tail = text[-_REFERENCE_BYTES:]
        references = {(letters, int(digits)) for letters, digits in _REFERENCE.findall(text)}
        if not references:
            return
        rows = self._rows + [row for _, row in references]
        columns = self._columns + [
            _column_number(letters) for letters in {letters for letters, _ in references if letters}
        ]
        columns = columns or [1]
        self._rows, self._columns = [min(rows), max(rows)], [min(columns), max(columns)]
        cells = (self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1)
        if cells > self._limit:
            raise Refused(f"a sheet spans {cells} cells, over the contract's limit of {self._limit} (sheet_cells)")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet_rows(content: bytes, extract: Extract) -> Iterator[tuple[int, Sequence[Any]]]:
    """Row number and cells of every row that is not blank."""
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        wanted = extract.dialect.sheet
        if wanted is not None and wanted not in workbook.sheet_names:
            raise Refused(
                f"has no sheet {wanted!r} ({extract.place}); its sheets are {', '.join(workbook.sheet_names)}"
            )
        sheets = [
            workbook.get_sheet_by_name(name) for name in ([wanted] if wanted is not None else workbook.sheet_names)
        ]
        filled = [sheet for sheet in sheets if sheet.start is not None]
        if len(filled) > 1:
            names = ", ".join(sheet.name for sheet in filled)
            raise Refused(
                f"has several sheets ({names}); name one under format.sheet in the contract ({extract.place})"
            )
        if not filled:
            return
        start = filled[0].start or (0, 0)
        rows = filled[0].to_python(skip_empty_area=True)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Refused(f"not a readable xlsx file: {error}") from error
    except BaseException as error:
        # A Rust panic derives from BaseException, so that nobody takes it for an ordinary error; here it is one.
        if type(error).__name__ == "PanicException":
            raise Refused(f"not a readable xlsx file: {error}") from error
        raise
    for line_no, cells in enumerate(rows, start=start[0] + 1):
        if any(cell not in ("", None) for cell in cells):
            yield line_no, cells


def _text(value: Any, column: Column, extract: Extract) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        try:
            text = excel_serial(float(value), column) or double_text(float(value), column)
        except DamagedNumberError as error:
            raise _RowError(column.name, "damaged_number", f"{column.name} {error} ({column.place})") from error
        return None if text is None else decimal_text(text, column, extract.dialect)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _check_length(text: str | None, line_no: int, name: str, limit: int) -> None:
    if text is not None and 4 * len(text) > limit and (length := len(text.encode())) > limit:
        raise Refused(
            f"row {line_no}: {name} is {length} bytes long, over the contract's limit of {limit} (record_bytes)"
        )


def _json(cells: Sequence[Any]) -> str:
    return json.dumps([None if cell == "" else cell for cell in cells], ensure_ascii=False, default=str)
