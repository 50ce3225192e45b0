"""Text for files that somebody may open in a spreadsheet program."""

from __future__ import annotations

# What Excel, LibreOffice and Google Sheets take for the beginning of a formula; leading blanks do not stop them.
_FORMULA_STARTS = tuple("=+-@|\t\r\n\uff1d\uff0b\uff0d\uff20")


def inert(value: object) -> object:
    """The value as a cell that no spreadsheet program takes for a formula; numbers and other types stay as they are."""
    if isinstance(value, str) and (value.startswith(_FORMULA_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)):
        return "'" + value
    return value


def one_line(text: str) -> str:
    """Text for a terminal or log: control characters are shown, not obeyed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
