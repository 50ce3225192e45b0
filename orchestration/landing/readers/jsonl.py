"""One JSON object a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from orchestration.landing.contract import Extract
from orchestration.landing.errors import Waiting
from orchestration.landing.header import header_key, map_header
from orchestration.landing.readers.base import Reading, Rejection, batches_of_rows
from orchestration.landing.readers.numbers import decimal_text
from orchestration.landing.text_scan import Opener, Utf8Stream, scan_text


class _Number(str):
    """A JSON number's own digits: reading it as a float would change them."""


class JsonlReading(Reading):
    """Rows are lines; a line that is no flat JSON object is a rejection. The header is the union of the objects' names.

    Raises (on construction):
        Waiting: empty, or cut within the last line.
        Refused: in no declared encoding, or a required column is in no object.
    """

    def __init__(self, open_stream: Opener, extract: Extract) -> None:
        account = scan_text(open_stream, extract)
        if account.lines == 0:
            raise Waiting("the file is empty")
        self._open_stream = open_stream
        self._encoding = account.encoding
        names: dict[str, None] = {}
        parsed: dict[str, Any] | None = None
        text = ""
        # The last text is named when the file turns out to be cut.
        for _, text, parsed, _ in self._objects():  # noqa: B007
            names.update(dict.fromkeys(parsed or {}))
        if parsed is None and not account.ends_with_newline:
            raise Waiting(f"the last line is cut: {text[:60]!r}")
        header = map_header(extract, list(names))
        self._name_of = {list(names)[place]: name for name, place in header.positions.items()}
        super().__init__(extract, tuple(header.positions), header.extra, account.encoding)

    def _objects(self) -> Iterator[tuple[int, str, dict[str, Any] | None, str]]:
        """Line, text, object or None, and what is wrong with it, for every line that is not blank."""
        with io.BufferedReader(Utf8Stream(self._open_stream(), self._encoding), 1 << 20) as stream:
            for line_no, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8", newline="\n"), start=1):
                text = line.rstrip("\r\n")
                if not text.strip():
                    continue
                try:
                    value = json.loads(
                        text,
                        parse_float=_Number,
                        parse_int=_Number,
                        parse_constant=_Number,
                        object_pairs_hook=_unique_names,
                    )
                except (ValueError, RecursionError) as error:
                    yield line_no, text, None, f"not a JSON object: {error}"
                    continue
                if isinstance(value, dict):
                    yield line_no, text, value, ""
                else:
                    yield line_no, text, None, "not a JSON object"

    def batches(self) -> Iterator[pa.RecordBatch]:
        """See ``Reading``."""
        self.rejections = []
        self.records = 0
        yield from batches_of_rows(self.extract, self._rows())

    def _rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        for line_no, text, parsed, problem in self._objects():
            self.records += 1
            try:
                if parsed is None:
                    raise ValueError(problem)
                row = {name: self._cell(parsed.get(given), name) for given, name in self._name_of.items()}
            except ValueError as error:
                self.rejections.append(Rejection(line_no, None, "not_a_flat_object", str(error), text))
                continue
            yield line_no, row

    def _cell(self, value: Any, name: str) -> str | None:
        if isinstance(value, _Number):
            return decimal_text(value, self.extract.column(name), self.extract.dialect)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dict | list):
            raise ValueError(f"{name} holds a nested value")
        if isinstance(value, str) and ("\0" in value or (not value.isprintable() and _has_surrogate(value))):
            raise ValueError(f"{name} holds a character that is no text")
        return None if value is None else str(value)

    def raw_texts(self, cells_by_line: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
        """See ``Reading``."""
        return {line_no: text for line_no, text, _, _ in self._objects() if line_no in cells_by_line}


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len({header_key(name) for name in found}) < len(pairs):
        raise ValueError("a name is given twice")
    return found
