"""Takes erased customers out of what is delivered, before any of it reaches the warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.erasure.register import Erasures
from orchestration.landing.contract import Extract
from orchestration.landing.readers import Rejection

ERASED_TEXT = "[erased]"
# A case is named by its response and question; the text about it goes with the response.
CASE_KEY = "case_id"
_BETWEEN_VALUES = re.compile(r"""[\s,;|"'{}\[\]:=<>()]+""")


@dataclass(frozen=True)
class Scrubber:
    """Knows who was erased (``erasures``) and whose free text goes (``responses``, by their own ids)."""

    erasures: Erasures
    responses: frozenset[str] = frozenset()

    def batch(self, extract: Extract, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows with pseudonyms for erased customers and devices, no contact data and no text of theirs."""
        if not self.erasures.names:
            return rows
        columns = {name: rows.column(name) for name in rows.schema.names}
        hidden = None
        for name in extract.of_person("customer"):
            columns[name], found = self._renamed(columns[name])
            hidden = found if hidden is None or found is None else pc.or_(hidden, found)
        for name in [*extract.of_person("device"), *extract.of_person("identifier")]:
            columns[name], _ = self._renamed(columns[name])
        if hidden is not None:
            for name in extract.of_person("contact"):
                columns[name] = pc.if_else(hidden, pa.nulls(len(rows), pa.string()), columns[name])
        for name in extract.of_person("text"):
            if self.responses:
                about = columns[extract.key[0]]
                if extract.key[0] == CASE_KEY:
                    about = pc.replace_substring_regex(about, pattern=":[^:]*$", replacement="")
                theirs = pc.is_in(about, value_set=pa.array(sorted(self.responses), pa.string()))
                there = pc.and_(theirs, pc.is_valid(columns[name]))
                columns[name] = pc.if_else(there, pa.scalar(ERASED_TEXT), columns[name])
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=rows.schema)

    def _renamed(self, values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """The values with pseudonyms, and where they were put; ``None`` for the latter: nowhere."""
        encoded = pc.dictionary_encode(values)
        names = {value: name for value in encoded.dictionary.to_pylist() if (name := self.erasures.name_of(value))}
        if not names:
            return values, None
        dictionary = pa.array([names.get(value, value) for value in encoded.dictionary.to_pylist()], pa.string())
        renamed = pa.DictionaryArray.from_arrays(encoded.indices, dictionary).dictionary_decode()
        return renamed, pc.fill_null(pc.is_in(values, value_set=pa.array(list(names), pa.string())), False)

    def cells(self, extract: Extract, cells: Mapping[str, str | None]) -> dict[str, str | None]:
        """One row as delivered."""
        (row,) = self.batch(extract, _one_row(extract, cells)).to_pylist()
        return {name: row.get(name) for name in cells}

    def rejection(self, extract: Extract, rejection: Rejection) -> Rejection:
        """A row for the quarantine. Where it names an erased customer its text is replaced by its cells without them, and
        by nothing where the row has no cells.
        """
        if not self.erasures.names:
            return rejection
        cells = None if rejection.cells is None else self.cells(extract, rejection.cells)
        message = self.text(rejection.message)
        is_theirs = cells is not None and any(
            value in _marks(cells.values()) for value in [*self.erasures.names, ERASED_TEXT]
        )
        if not is_theirs and not self._names_somebody(rejection.raw_text):
            return rejection
        text = ERASED_TEXT if cells is None else json.dumps(cells, ensure_ascii=False)
        return replace(rejection, cells=cells, message=message, raw_text=text)

    def text(self, text: str) -> str:
        """Text of ours that may quote a delivered value."""
        if not self.erasures.names or not self._names_somebody(text):
            return text
        for value in filter(None, _BETWEEN_VALUES.split(text)):
            if name := self.erasures.name_of(value):
                text = text.replace(value, name)
        return text

    def _names_somebody(self, text: str) -> bool:
        return any(self.erasures.name_of(value) for value in _BETWEEN_VALUES.split(text) if value)


def _marks(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}


def _one_row(extract: Extract, cells: Mapping[str, str | None]) -> pa.RecordBatch:
    names = list(dict.fromkeys([*(column.name for column in extract.columns), *cells]))
    arrays = [pa.array([cells.get(name)], pa.string()) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=names)
