"""Which files lie below the extracts folder, without opening any."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["csv", "csv.gz", "tsv", "tsv.gz", "parquet", "jsonl", "jsonl.gz", "xlsx"]
_FORMATS: tuple[Format, ...] = ("csv.gz", "tsv.gz", "jsonl.gz", "csv", "tsv", "parquet", "jsonl", "xlsx")
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")


@dataclass(frozen=True)
class FoundFile:
    """One file: ``name`` is its path below the extracts folder with ``/``, ``real_path`` where its bytes are.

    ``format`` None: no format landing reads. ``set_aside``: it must not be opened, and why. ``is_unfinished``: its name says
    that it is still being written.
    """

    name: str
    real_path: Path
    size_bytes: int
    mtime_ns: int
    format: Format | None
    is_unfinished: bool = False
    set_aside: str | None = None

    @property
    def folder(self) -> tuple[str, str] | None:
        """Source and extract that the file's place names, or None where it lies higher up."""
        parts = self.name.split("/")
        return (parts[0], parts[1]) if len(parts) >= 3 else None


def format_of(name: str) -> Format | None:
    """The format that a file name's ending declares."""
    lowered = name.lower()
    return next((f for f in _FORMATS if lowered.endswith("." + f)), None)


def list_files(extracts_dir: Path) -> Iterator[FoundFile]:
    """Every file below ``extracts_dir``, by name; none where the folder does not exist.

    Symbolic links are followed only to targets inside the folder, so that nobody who may drop a file can make landing read
    another one. Files above the extracts' own folders count only where they look like misplaced data.
    """
    root = extracts_dir.resolve()
    if not root.is_dir():
        return
    yield from sorted(_walk(root, root, ""), key=lambda f: f.name)


def _walk(root: Path, folder: Path, prefix: str) -> Iterator[FoundFile]:
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError as error:
        yield FoundFile(_shown(prefix), folder, 0, 0, None, set_aside=f"the folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _walk(root, Path(entry.path), name + "/")
            continue
        try:
            found = _look_at(root, entry, name)
        except FileNotFoundError:
            continue
        if found is not None:
            yield found


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _look_at(root: Path, entry: os.DirEntry[str], name: str) -> FoundFile | None:
    shown = _shown(name)
    form = format_of(name)
    if name.count("/") < 2 and form is None:
        return None
    path = Path(entry.path)
    unfinished = entry.name.startswith((".", "~$")) or entry.name.lower().endswith(_UNFINISHED_SUFFIXES)
    info = entry.stat(follow_symlinks=False)

    def found(set_aside: str | None) -> FoundFile:
        return FoundFile(shown, path, info.st_size, info.st_mtime_ns, form, unfinished, set_aside)

    if shown != name:
        return found("the file name is not UTF-8")
    if entry.is_symlink():
        try:
            path = path.resolve(strict=True)
            info = path.stat()
        except (OSError, RuntimeError):
            return found("the symbolic link leads nowhere")
        if not path.is_relative_to(root):
            return found("the symbolic link leaves the extracts folder")
    if not stat.S_ISREG(info.st_mode):
        return found("not a regular file")
    return found(None)
