"""Opening delivered files: never through a link swapped in later, never while somebody writes, never without a limit."""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import io
import os
import stat
import zlib
from typing import IO

from orchestration.landing.contract import Limits
from orchestration.landing.errors import Refused, Waiting
from orchestration.landing.inventory import FoundFile

_FREE_EXPANSION = 64 << 20


def open_file(found: FoundFile) -> io.BufferedReader:
    """The file's bytes for reading.

    Raises:
        Waiting: it is gone, it changed since it was listed, or another process has it open for writing.
        Refused: it may not be read.

    """
    try:
        handle = os.open(found.real_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Waiting("the file went away while landing looked at it") from error
    except OSError as error:
        raise Refused(f"cannot be opened: {error.strerror}") from error
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise Refused("not a regular file")
        _check_unchanged(info, found)
        if _has_writer(handle):
            raise Waiting("another process is still writing it")
    except BaseException:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def check_unchanged(found: FoundFile) -> None:
    """Ask again after reading: the file is still the one that was listed.

    Raises:
        Waiting: it changed or went away meanwhile.

    """
    try:
        info = os.stat(found.real_path, follow_symlinks=False)
    except OSError as error:
        raise Waiting("the file went away while landing read it") from error
    _check_unchanged(info, found)


def content_hash(found: FoundFile) -> str:
    """SHA-256 of the file's bytes as delivered, in hex.

    Raises:
        Waiting, Refused: see ``open_file``.

    """
    with open_file(found) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    check_unchanged(found)
    return digest


def _check_unchanged(info: os.stat_result, found: FoundFile) -> None:
    if (info.st_size, info.st_mtime_ns) != (found.size_bytes, found.mtime_ns):
        raise Waiting("the file is still growing or changing")


def _has_writer(handle: int) -> bool:
    """A read lease is granted only while nobody has the file open for writing; file systems without leases say nothing."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def open_content(found: FoundFile, limits: Limits) -> IO[bytes]:
    """As ``open_file``, with gzip undone under the contract's limits; the caller closes it."""
    raw = open_file(found)
    if found.format is None or not found.format.endswith(".gz"):
        return raw
    return io.BufferedReader(_LimitedGzip(raw, found.size_bytes, limits), buffer_size=1 << 20)


class _LimitedGzip(io.RawIOBase):
    """Gzip content that stops when it grows out of proportion."""

    def __init__(self, raw: IO[bytes], compressed_bytes: int, limits: Limits) -> None:
        self._raw = raw
        self._stream = gzip.GzipFile(fileobj=raw)
        self._left = min(limits.file_bytes, max(_FREE_EXPANSION, compressed_bytes * limits.expansion))
        self._limit = self._left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(min(len(buffer), self._left + 1))
        except EOFError as error:
            raise Waiting("the gzip stream ends too early: half-written") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise Refused(f"not a readable gzip file: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise Refused(f"unpacks to more than {self._limit} bytes, the contract's limit (file_bytes, expansion)")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._raw.close()
        super().close()
