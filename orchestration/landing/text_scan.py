"""One pass over a text file: its encoding, its content's account (records, lines, quotes) and what a fast reader may miss.

The account is made on bytes, apart from any CSV reader, so that rows a reader loses without a word show as a difference.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from orchestration.landing.contract import Extract
from orchestration.landing.errors import Refused

CHUNK_BYTES = 4 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHINESE = {"gb18030", "gbk", "gb2312", "hz"}
_ENOUGH_CHARACTERS = 10_000
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class TextAccount:
    """``records``: line breaks outside quotes, the header's included. ``lines``: physical lines.

    ``beside_quotes``: the bytes before opening and after closing quotes other than quotes and line breaks.
    """

    encoding: str
    records: int
    lines: int
    has_quoted_newlines: bool
    ends_with_newline: bool
    ends_inside_quotes: bool
    has_lone_returns: bool
    beside_quotes: frozenset[int]

    def is_plain(self, delimiter: str) -> bool:
        """Whether every quote stands where a writer of well-formed CSV puts one, and lines end in LF or CRLF.

        Only then is ``records`` exact; else the strict reader has to tell.
        """
        return not self.ends_inside_quotes and not self.has_lone_returns and self.beside_quotes <= {ord(delimiter)}


def is_utf8(encoding: str) -> bool:
    """Whether a codec name means UTF-8 (with or without byte order mark)."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def utf8_chunks(stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The content as UTF-8 without a byte order mark, in pieces of whole characters.

    Raises:
        UnicodeDecodeError: with the position in the whole stream.

    """
    decoder = codecs.getincrementaldecoder("utf-8" if is_utf8(encoding) else encoding)(errors="strict")
    position = 0
    while True:
        piece = stream.read(CHUNK_BYTES)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            start = max(0, position - pending + error.start)
            raise UnicodeDecodeError(error.encoding, b"", start, start + 1, error.reason) from error
        if position == 0:
            text = text.removeprefix("\ufeff")
        position += len(piece)
        if text:
            yield text.encode("utf-8", "strict")
        if not piece:
            return


class Utf8Stream(io.RawIOBase):
    """A text file in any encoding as a readable stream of UTF-8 bytes."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._chunks = utf8_chunks(stream, encoding)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """True: that is all this stream can do."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the next piece reaches."""
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        """Close the file below, too."""
        if not self.closed:
            self._stream.close()
        super().close()


def scan_text(open_stream: Opener, extract: Extract) -> TextAccount:
    """Find the encoding among the contract's and make the account.

    Raises:
        Refused: in no declared encoding (with the byte position), a NUL, or a line over the contract's limit.

    """
    with open_stream() as stream:
        head = stream.read(4)
    failures: list[str] = []
    for encoding in _candidates(head, extract):
        is_guess = codecs.lookup(encoding).name in _CHINESE and len(extract.dialect.encodings) > 1
        scanner = _Scanner(extract.limits.record_bytes, is_guess)
        try:
            with open_stream() as stream:
                for chunk in utf8_chunks(stream, encoding):
                    scanner.feed(chunk)
        except UnicodeDecodeError as error:
            failures.append(f"{encoding} fails at byte {error.start}")
            continue
        except UnicodeEncodeError:
            failures.append(f"{encoding} gives no valid text")
            continue
        if is_guess and scanner.reads_unlikely():
            failures.append(f"{encoding} would give unlikely text (declare it alone if it is right)")
            continue
        return scanner.account(encoding)
    raise Refused(f"in none of the contract's encodings: {'; '.join(failures)}")


def _candidates(head: bytes, extract: Extract) -> list[str]:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return [encoding]
    # UTF-8 rejects what it is not, GB18030 nearly so, single-byte encodings accept anything: that is the order of trust.
    # UTF-16 without a byte order mark counts only where the contract names its byte order.
    usable = [e for e in extract.dialect.encodings if codecs.lookup(e).name not in ("utf-16", "utf-32")]
    return sorted(usable, key=lambda e: (not is_utf8(e), codecs.lookup(e).name not in _CHINESE))


class _Scanner:
    """Counts over successive UTF-8 pieces."""

    def __init__(self, record_limit: int, counts_characters: bool) -> None:
        self._record_limit = record_limit
        self._counts_characters = counts_characters
        self._outside = 0
        self._newlines = 0
        self._lone_returns = 0
        self._inside_quotes = False
        self._last = b"\n"
        self._is_empty = True
        self._open_line = 0
        self._wide = 0
        self._rare = 0
        self._neighbours: set[int] = set()

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""
        newlines = chunk.count(b"\n")
        if (nul := chunk.find(b"\0")) >= 0:
            line = self._newlines + chunk.count(b"\n", 0, nul) + 1
            raise Refused(
                f"holds a NUL character in line {line} (UTF-16 needs a byte order mark or its byte order declared)"
            )
        self._check_line_length(chunk)
        if self._counts_characters and self._wide < _ENOUGH_CHARACTERS and not chunk.isascii():
            self._count_characters(chunk.decode("utf-8"))
        if self._last == b"\r" or b"\r" in chunk:
            held = (b"\r" if self._last == b"\r" else b"") + chunk
            held = held.removesuffix(b"\r")
            self._lone_returns += held.count(b"\r") - held.count(b"\r\n")
        if self._inside_quotes or self._last == b'"' or b'"' in chunk:
            self._outside += self._newlines_outside_quotes(chunk)
        else:
            self._outside += newlines
        self._newlines += newlines
        self._last = chunk[-1:]
        self._is_empty = False

    def _check_line_length(self, chunk: bytes) -> None:
        first = chunk.find(b"\n")
        longest = self._open_line + (len(chunk) if first < 0 else first)
        line = self._newlines + 1
        if first >= 0 and len(chunk) > self._record_limit:
            breaks = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _NEWLINE)
            gaps = np.diff(breaks)
            if len(gaps) and int(gaps.max()) - 1 > longest:
                longest, line = int(gaps.max()) - 1, line + int(gaps.argmax()) + 1
        if longest > self._record_limit:
            raise Refused(f"line {line} is longer than {self._record_limit} bytes, the contract's limit (record_bytes)")
        self._open_line = longest if first < 0 else len(chunk) - chunk.rfind(b"\n") - 1

    def _newlines_outside_quotes(self, chunk: bytes) -> int:
        """Line breaks outside quotes; notes the bytes beside opening and closing quotes."""
        codes = np.frombuffer(self._last + chunk, np.uint8)
        is_quote = codes == _QUOTE
        is_quote[0] = False
        inside = np.logical_xor.accumulate(is_quote)
        if self._inside_quotes:
            np.logical_not(inside, out=inside)
        before, after = codes[:-1], codes[1:]
        opens = is_quote[1:] & ~inside[:-1]
        closes = (before == _QUOTE) & ~inside[:-1]
        self._neighbours.update(np.unique(before[opens]).tolist())
        self._neighbours.update(np.unique(after[closes]).tolist())
        self._inside_quotes = bool(inside[-1])
        return int(np.count_nonzero((codes[1:] == _NEWLINE) & ~inside[1:]))

    def _count_characters(self, text: str) -> None:
        for character in set(text):
            if character > "\x7f":
                count = text.count(character)
                self._wide += count
                if not character.encode("gb2312", "ignore"):
                    self._rare += count

    def reads_unlikely(self) -> bool:
        """GB18030 also reads most Latin-1 text, as rare characters; real Chinese text consists of common ones."""
        return self._rare * 4 > self._wide

    def account(self, encoding: str) -> TextAccount:
        """The totals."""
        lone = self._lone_returns + (self._last == b"\r")
        ends = self._is_empty or self._last in (b"\n", b"\r")
        partial = 0 if ends else 1
        return TextAccount(
            encoding=encoding,
            records=self._outside + partial,
            lines=self._newlines + lone + partial,
            has_quoted_newlines=self._outside != self._newlines,
            ends_with_newline=ends,
            ends_inside_quotes=self._inside_quotes,
            has_lone_returns=lone > 0,
            beside_quotes=frozenset(self._neighbours - {_QUOTE, _NEWLINE, _RETURN}),
        )
