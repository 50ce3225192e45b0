"""One pass over a text file: its encoding, its content's account (records, lines, quotes) and what a fast reader may miss.

The account is made on bytes, apart from any CSV reader, so that rows a reader loses without a word show as a difference.
"""

from __future__ import annotations

import codecs
import io
import re
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
_WIDE = re.compile(r"(?P<within>(?<=[a-z])[^\x00-\x7f](?=[a-z]))|[^\x00-\x7f]")
# Control characters of the upper half are in no text; letters that stand in threes or more are in no Western word.
_ODD_WESTERN = re.compile(r"[\x80-\x9f]|[^\x00-\x9f]{3,}")
# Kana as well: GB18030 has them where Japanese encodings do.
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
# Fewer characters than these may be names, which are in no dictionary.
_FEW_HAN = 8
_HAN_PER_CHARACTER_IN_WORDS = 50
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class TextAccount:
    """``records``: line breaks outside quotes, the header's included. ``lines``: physical lines. ``longest_record``: in bytes.

    ``beside_quotes``: the bytes before opening and after closing quotes other than quotes and line breaks.
    """

    encoding: str
    records: int
    lines: int
    has_quoted_newlines: bool
    ends_with_newline: bool
    ends_inside_quotes: bool
    has_lone_returns: bool
    longest_record: int
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
        is_chinese = codecs.lookup(encoding).name in _CHINESE
        is_guess = (is_chinese or _is_single_byte(encoding)) and len(extract.dialect.encodings) > 1
        scanner = _Scanner(extract.limits.record_bytes, _Plausibility(is_chinese) if is_guess else None)
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
        if (unlikely := scanner.unlikely_text()) is not None:
            line, character = unlikely
            failures.append(
                f"{encoding} would give unlikely text, such as {character!r} in line {line} (declare it alone if it is right)"
            )
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


def _is_single_byte(encoding: str) -> bool:
    """Whether every byte is a character of its own, so that decoding hardly ever fails."""
    try:
        return len(bytes(range(0xA0, 0x100)).decode(encoding, "ignore")) > 64
    except UnicodeError:
        return False


class _Plausibility:
    """Whether text decoded on a guess is text that people write.

    GB18030 also reads most Latin-1 text, as rare characters or as single ones within a word; real Chinese text consists of
    common ones in a row. Latin-1 reads anything, Chinese text as accented letters in a row; in real Western text they stand
    between plain ones. GB18030 reads Korean and Japanese text as common characters that never make a word.
    """

    def __init__(self, is_chinese: bool) -> None:
        self._is_chinese = is_chinese
        self._wide = 0
        self._odd = 0
        self._first_odd: tuple[int, str] | None = None
        self._han = 0
        self._in_words = 0
        self._first_han: tuple[int, str] | None = None

    def feed(self, text: str, line: int) -> None:
        """Take a piece of text that begins in ``line``."""
        if self._wide >= _ENOUGH_CHARACTERS:
            return
        pattern = _WIDE if self._is_chinese else _ODD_WESTERN
        self._wide += sum(text.count(character) for character in set(text) if character > "\x7f")
        for match in pattern.finditer(text):
            odd = match.group()
            if self._is_chinese and match["within"] is None and not _is_rare(odd):
                continue
            self._odd += len(odd)
            if self._first_odd is None:
                self._first_odd = (line + text.count("\n", 0, match.start()), odd[:10])
        if self._is_chinese:
            self._count_words(text, line)

    def _count_words(self, text: str, line: int) -> None:
        # Only here: it reads its dictionary, and most nights have no text to guess at.
        from rjieba import cut

        for match in _HAN.finditer(text):
            if self._first_han is None:
                self._first_han = (line + text.count("\n", 0, match.start()), match.group()[:10])
            for word in cut(match.group(), False):
                self._han += len(word)
                self._in_words += len(word) if len(word) > 1 else 0
            if self._han >= _ENOUGH_CHARACTERS:
                break

    def unlikely(self) -> tuple[int, str] | None:
        """Line and text of the first odd character where they are too many, or of the first of many that make no words."""
        if self._han >= _FEW_HAN and self._in_words * _HAN_PER_CHARACTER_IN_WORDS < self._han:
            return self._first_han
        return self._first_odd if self._odd * (4 if self._is_chinese else 2) > self._wide else None


def _is_rare(character: str) -> bool:
    """A character of GBK's extensions, which pairs of a Western letter and a plain one read as; four-byte ones never do."""
    code = character.encode("gb18030", "ignore")
    return len(code) == 2 and (code[1] < 0xA1 or code[0] >= 0xF8 or 0xA8 < code[0] < 0xB0)


class _Scanner:
    """Counts over successive UTF-8 pieces."""

    def __init__(self, record_limit: int, plausibility: _Plausibility | None) -> None:
        self._record_limit = record_limit
        self._plausibility = plausibility
        self._outside = 0
        self._newlines = 0
        self._lone_returns = 0
        self._inside_quotes = False
        self._last = b"\n"
        self._is_empty = True
        self._open_line = 0
        self._open_record = 0
        self._longest_record = 0
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
        if self._plausibility is not None and not chunk.isascii():
            self._plausibility.feed(chunk.decode("utf-8"), self._newlines + 1)
        if self._last == b"\r" or b"\r" in chunk:
            held = (b"\r" if self._last == b"\r" else b"") + chunk
            held = held.removesuffix(b"\r")
            self._lone_returns += held.count(b"\r") - held.count(b"\r\n")
        if self._inside_quotes or self._last == b'"' or b'"' in chunk:
            self._outside += self._newlines_outside_quotes(chunk)
        else:
            self._outside += newlines
            # Without quotes a record is a line, and lines are within their limit already.
            last = chunk.rfind(b"\n")
            self._open_record = self._open_record + len(chunk) if last < 0 else len(chunk) - last - 1
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
        breaks = np.flatnonzero((codes[1:] == _NEWLINE) & ~inside[1:])
        if len(breaks):
            longest = max(self._open_record + int(breaks[0]), int(np.diff(breaks).max(initial=0)))
            self._open_record = len(chunk) - int(breaks[-1]) - 1
        else:
            longest = self._open_record = self._open_record + len(chunk)
        self._longest_record = max(self._longest_record, longest)
        return len(breaks)

    def unlikely_text(self) -> tuple[int, str] | None:
        """See ``_Plausibility.unlikely``."""
        return None if self._plausibility is None else self._plausibility.unlikely()

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
            longest_record=self._longest_record,
            beside_quotes=frozenset(self._neighbours - {_QUOTE, _NEWLINE, _RETURN}),
        )
