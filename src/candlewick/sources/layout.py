"""Layout: how the lines of a text file are laid out, recognised from its beginning."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from candlewick.errors import FileFormatError
from candlewick.sources.columns import Columns, recognise, recognised
from candlewick.sources.rows import Reason
from candlewick.sources.timestamps import TimeForm
from candlewick.sources.timestamps import recognise as recognise_times

DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Layout:
    """Delimiter, number of fields, which column is what, where the header is, and the form of times; ``example`` is
    the time that told it."""

    delimiter: str
    width: int
    columns: Columns
    header_line: int
    times: TimeForm
    example: str


def find_layout(name: str, head: bytes, *, whole: bool) -> Layout:
    """The layout of a file from its first lines (``whole``: they are all of it).

    Raises FileFormatError for what is no text or has no rows, MissingColumnError, and InputError for a column twice.
    """
    header, number, rest = _beginning(name, head, whole=whole)
    split = {mark: fields(header, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: (recognised(split[mark]), len(split[mark])))
    cells = split[delimiter]
    columns = recognise(cells, name)
    rows = [fields(line, delimiter) for line in rest if line.strip()]
    if not rows and whole:
        raise FileFormatError("file", name, "give a file with rows", "has a header but no rows")
    times, example = recognise_times(time_text(row, columns) for row in rows if len(row) == len(cells))
    return Layout(delimiter, len(cells), columns, number, times, example)


def fields(line: str, delimiter: str) -> list[str]:
    """The cells of one line."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return line.split(delimiter)


def time_text(row: list[str], columns: Columns) -> str:
    """The time of a row; a date and a time of day in two columns are joined."""
    if columns.date is None:
        return row[columns.time]
    return f"{row[columns.date].strip()}T{row[columns.time].strip()}"


def decoded(raw: bytes) -> tuple[str, Reason]:
    """A line as text; one that is no UTF-8 with its bytes escaped, and a Reason."""
    try:
        return raw.decode("utf-8"), Reason.SOUND
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="backslashreplace"), Reason.NOT_TEXT


def _beginning(name: str, head: bytes, *, whole: bool) -> tuple[str, int, list[str]]:
    """The header line, its number, and the lines of the head after it."""
    if not head.strip():
        problem = "is an empty file" if whole else "begins with nothing but blank lines"
        raise FileFormatError("file", name, "give a file with a header and rows", problem)
    if b"\x00" in head:
        raise FileFormatError("file", name, "give UTF-8 text with a header line", "is not text")
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if not whole:
        lines = lines[:-1]  # it may go on beyond the head
    for number, raw in enumerate(lines, 1):
        text, unreadable = decoded(raw)
        if unreadable:
            raise FileFormatError("file", name, "give UTF-8 text with a header line", "is not UTF-8 text")
        if text.strip():
            return text, number, [decoded(line)[0] for line in lines[number:]]
    raise FileFormatError("file", name, "give a file with a header line", "has a first line that is too long")
