"""Reference: what another platform shows, as it exported it: times and columns of numbers, whatever their titles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from candlewick.columnar import Floats, Integers
from candlewick.compare.written import Written
from candlewick.errors import FileFormatError, InputError, MissingColumnError
from candlewick.moments import moments
from candlewick.sessions.calendar import Calendar
from candlewick.sources.columns import KNOWN
from candlewick.sources.csv import number
from candlewick.sources.layout import DELIMITERS, decoded, fields
from candlewick.sources.local_time import find_zone
from candlewick.sources.rows import Reason
from candlewick.sources.text_file import TextFile
from candlewick.sources.timestamps import TimeReader
from candlewick.sources.timestamps import recognise as recognise_times
from candlewick.timeframe import Timeframe

_PUNCTUATION = re.compile(r"[\s_\-<>.\"']+")
OWN = ("n", "final")
"""Columns of our own exports that say nothing to compare."""
BLANK = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "∅"})
"""What stands for no value, in any case."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column of numbers; NaN where it has none. ``place``: which one of the file, from 0: titles may repeat."""

    title: str
    place: int
    values: Floats
    written: Written

    def rows(self, chosen: Any) -> Column:
        """The same column, those rows only; it stays written as it was."""
        return Column(self.title, self.place, self.values[chosen], self.written)


@dataclass(frozen=True)
class Refused:
    """A line that could not be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows in ascending order of ``time`` (microseconds UTC), each time once; ``refused`` lists what was left out.

    ``other``: titles of columns without numbers.
    """

    name: str
    time: Integers
    columns: tuple[Column, ...]
    refused: tuple[Refused, ...] = ()
    other: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    def between(self, start: int | None, end: int | None) -> Reference:
        """Rows with ``start <= time < end``."""
        low = 0 if start is None else int(np.searchsorted(self.time, start))
        high = len(self.time) if end is None else int(np.searchsorted(self.time, end))
        cut = slice(low, max(low, high))
        return Reference(
            self.name, self.time[cut], tuple(column.rows(cut) for column in self.columns), self.refused, self.other
        )


def read_reference(
    path: str | Path,
    *,
    timeframe: str | Timeframe,
    calendar: Calendar,
    symbol: str | None = None,
    timezone: str | None = None,
) -> Reference:
    """An export as text with a header: the column of times is found by its name, every other one may be numbers.

    Times as `ingest` takes them: seconds since 1970, ISO with an offset, local ones with ``timezone``, bare dates for
    1d and coarser. Where a column names several symbols, rows of others than ``symbol`` are left out. Raises
    FileFormatError, MissingColumnError, NaiveTimeError; InputError when no row can be used.
    """
    file = Path(path)
    name = str(path)
    if not file.is_file():
        raise InputError("reference", name, "give the path of a CSV file", "is no file")
    lines = _lines(TextFile(file, None, file.stat().st_size))
    header = lines[0][1]
    split = {mark: fields(header, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: (_time_place(split[mark]) is not None, len(split[mark])))
    titles = [cell.strip() for cell in split[delimiter]]
    at = _time_place(titles)
    if at is None:
        raise MissingColumnError("reference", "time", titles, KNOWN["time"])
    refused: list[Refused] = []
    numbers: list[int] = []
    rows: list[list[str]] = []
    who = next((place for place, title in enumerate(titles) if _plain(title) in KNOWN["symbol"]), None)
    for line, text in lines[1:]:
        row = [cell.strip() for cell in fields(text, delimiter)]
        if len(row) != len(titles):
            refused.append(
                Refused(line, Reason.TOO_FEW_FIELDS.phrase if len(row) < len(titles) else Reason.TOO_MANY_FIELDS.phrase)
            )
        elif who is None or symbol is None or row[who] == symbol:
            rows.append(row)
            numbers.append(line)
    texts = [_time_text(row, titles, at) for row in rows]
    form, example = recognise_times(texts)
    reader = TimeReader(form, calendar, Timeframe.parse(timeframe), None if timezone is None else find_zone(timezone))
    reader.check(name, example)
    time, problem = reader.texts(texts)
    refused += [Refused(numbers[row], Reason(problem[row]).phrase) for row in np.flatnonzero(problem).tolist()]
    sound = problem == Reason.SOUND
    if not sound.any():
        why = f"line {refused[0].line}: {refused[0].reason}" if refused else "there is none"
        raise FileFormatError("reference", name, why, "has no row that can be used")
    aside = {at, who, _date_place(titles, at), *(place for place, title in enumerate(titles) if title in OWN)}
    columns: list[Column] = []
    other: list[str] = []
    for place, title in enumerate(titles):
        if place in aside:
            continue
        cells = [row[place] for row in rows]
        values = np.array([number(cell) for cell in cells])
        unreadable = [
            cell
            for cell, value in zip(cells, values.tolist(), strict=True)
            if value != value and cell.casefold() not in BLANK
        ]
        if unreadable or not np.isfinite(values).any():
            other.append(title)
        else:
            columns.append(Column(title, place, values[sound], Written.of(cells)))
    lines_of = np.array(numbers)[sound]
    return _ordered(name, time[sound], columns, tuple(refused), tuple(other), lines_of)


def reference_of(table: Any, *, calendar: Calendar, timeframe: str | Timeframe, name: str = "reference") -> Reference:
    """A reference from a mapping of columns, or a table that speaks Arrow: a column of times and columns of numbers.

    Raises MissingColumnError, NaiveTimeError, InputError.
    """
    if not isinstance(table, Mapping):
        import pyarrow as pa

        try:
            arrow = pa.table(table)
        except (TypeError, ValueError) as error:
            expected = "give a path, a mapping of columns, or a table that speaks Arrow"
            raise InputError("reference", type(table).__name__, expected, "is no table") from error
        table = {title: arrow.column(title) for title in arrow.column_names}
    titles = [str(title) for title in table]
    at = _time_place(titles)
    if at is None:
        raise MissingColumnError("reference", "time", titles, KNOWN["time"])
    given = list(table.values())
    labels = None if Timeframe.parse(timeframe).intraday else calendar.label_opens
    time = moments(given[at], titles[at], labels=labels)
    columns, other = [], []
    for place, (title, values) in enumerate(zip(titles, given, strict=True)):
        if place == at or title in OWN:
            continue
        column = values.to_numpy(zero_copy_only=False) if hasattr(values, "null_count") else np.asarray(values)
        if column.dtype.kind not in "iuf":
            other.append(title)
            continue
        if len(column) != len(time):
            raise InputError(
                title, len(column), f"give one value for each of the {len(time)} times", "has the wrong length"
            )
        numbers = column.astype(np.float64)
        columns.append(Column(title, place, numbers, Written.of_numbers(numbers)))
    if not len(time):
        raise InputError("reference", name, "give a table with rows", "has no rows")
    return _ordered(name, time, columns, (), tuple(other), np.arange(1, len(time) + 1))


def _ordered(
    name: str,
    time: Integers,
    columns: Sequence[Column],
    refused: tuple[Refused, ...],
    other: tuple[str, ...],
    lines: Integers,
) -> Reference:
    """Ascending, each time once: of several rows of one time the last in the file stays."""
    order = np.lexsort((np.arange(len(time)), time))
    last = np.append(np.diff(time[order]) > 0, True)
    chosen = order[last]
    repeated = [Refused(line, "its time stands again further down") for line in sorted(lines[order[~last]].tolist())]
    return Reference(name, time[chosen], tuple(column.rows(chosen) for column in columns), (*refused, *repeated), other)


def _lines(file: TextFile) -> list[tuple[int, str]]:
    """Every line that is not blank, with its number."""
    found = []
    for block in file.blocks():
        for line, raw in enumerate(block.data.split(b"\n")[:-1], block.first):
            text, problem = decoded(raw)
            if problem or "\x00" in text:
                raise FileFormatError("reference", file.name, f"line {line} is not UTF-8 text", "is not text")
            if text.strip():
                found.append((line, text))
    if not found:
        raise FileFormatError("reference", file.name, "give a file with a header and rows", "is an empty file")
    return found


def _plain(title: str) -> str:
    return _PUNCTUATION.sub("", title).casefold()


def _time_place(titles: Sequence[str]) -> int | None:
    """Which column the times are in; of a date and a time of day the latter."""
    plain = [_plain(title) for title in titles]
    found = [place for place, title in enumerate(plain) if title in KNOWN["time"]]
    if len(found) == 2 and "date" in plain and "time" in plain:
        return plain.index("time")
    return found[0] if found else None


def _date_place(titles: Sequence[str], time: int) -> int | None:
    """Which column the date is in where ``time`` holds times of day only."""
    plain = [_plain(title) for title in titles]
    return plain.index("date") if plain[time] == "time" and "date" in plain else None


def _time_text(row: Sequence[str], titles: Sequence[str], time: int) -> str:
    date = _date_place(titles, time)
    return row[time] if date is None else f"{row[date]}T{row[time]}"
