"""The reader that a file's name asks for."""

from __future__ import annotations

from typing import IO

from orchestration.landing.contract import Extract
from orchestration.landing.errors import Refused
from orchestration.landing.inventory import FoundFile
from orchestration.landing.opening import open_content
from orchestration.landing.readers.base import Reading
from orchestration.landing.readers.csv_text import read_csv
from orchestration.landing.readers.jsonl import JsonlReading
from orchestration.landing.readers.parquet import ParquetReading
from orchestration.landing.readers.xlsx import XlsxReading


def read_file(found: FoundFile, extract: Extract) -> Reading:
    """Open ``found`` with the reader of its format and match its header with the contract.

    Raises:
        Waiting: half-written or changing.
        Refused: the file as a whole does not fit the contract, or its format is none of landing's.

    """

    def open_stream() -> IO[bytes]:
        return open_content(found, extract.limits)

    if found.size_bytes > extract.limits.file_bytes:
        raise Refused(
            f"{found.size_bytes} bytes, over the contract's limit of {extract.limits.file_bytes} (file_bytes)"
        )
    match found.format:
        case "csv" | "csv.gz":
            return read_csv(open_stream, extract, found.size_bytes, None)
        case "tsv" | "tsv.gz":
            return read_csv(open_stream, extract, found.size_bytes, "\t")
        case "jsonl" | "jsonl.gz":
            return JsonlReading(open_stream, extract)
        case "parquet":
            return ParquetReading(open_stream, extract, found.size_bytes)
        case "xlsx":
            return XlsxReading(open_stream, extract)
        case None:
            raise Refused("not a csv, tsv, parquet, jsonl or xlsx file")
