"""NDJSON: one JSON object a line, its members named as a CSV file's columns are.

1. The first object decides which member is what and how times are written, as the header and the first row do in CSV.
2. Every line that is not blank is one row. What is no object, or misses a member, is refused with its line number.
3. Members that are not needed are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from candlewick.candles import VALUES
from candlewick.errors import FileFormatError
from candlewick.sources.columns import Columns, recognise
from candlewick.sources.csv import number
from candlewick.sources.layout import decoded
from candlewick.sources.rows import Reason, Rows, shortened
from candlewick.sources.source import Reading, check_symbol
from candlewick.sources.text_file import Block
from candlewick.sources.text_source import TextSource
from candlewick.sources.timestamps import TimeReader
from candlewick.sources.timestamps import recognise as recognise_times

LOOKED_AT = 1000
"""Lines at the beginning among which an object must be."""


class NdjsonSource(TextSource):
    """Rows of a file with one JSON object in each line."""

    def prepare(self, reading: Reading) -> None:
        head, whole = self.file.head()
        lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if not whole:
            lines = lines[:-1]  # it may go on beyond the head
        objects = [found for line in lines[:LOOKED_AT] if (found := parsed(line))]
        if not objects:
            problem = "is an empty file" if whole and not head.strip() else "begins with no JSON object"
            raise FileFormatError("file", self.name, "give one JSON object a line, each with its members", problem)
        self._members = list(objects[0])
        self._columns = recognise(self._members, self.name)
        check_symbol(self.name, reading, column=self._columns.symbol is not None)
        self._reading = reading
        needed = _needed(self._columns)
        sound = (self._cells(found) for found in objects)
        times, example = recognise_times(
            self._time(cells) for cells in sound if not any(cells[at] is _ABSENT for at in needed)
        )
        self._reader = TimeReader(times, reading.calendar, reading.timeframe, reading.zone)
        self._reader.check(self.name, example)

    def rows(self) -> Iterator[Rows]:
        for block in self.file.blocks(self._digest.update):
            rows = self._read(block)
            if len(rows):
                yield rows

    def _read(self, block: Block) -> Rows:
        columns, needed = self._columns, _needed(self._columns)
        lines: list[int] = []
        raws: list[bytes] = []
        problems: list[Reason] = []
        cells: list[list[Any]] = []
        nothing = [_ABSENT] * len(self._members)
        for line, raw in enumerate(block.data.split(b"\n")[:-1], block.first):
            if not raw.strip():
                continue
            found = parsed(raw)
            row = nothing if found is None else self._cells(found)
            lines.append(line)
            raws.append(raw)
            cells.append(row)
            if found is None:
                problems.append(_why_none(raw))
            else:
                missing = any(row[at] is _ABSENT for at in needed)
                problems.append(Reason.TOO_FEW_FIELDS if missing else Reason.SOUND)
        time, bad_times = self._reader.texts([self._time(row) for row in cells])
        codes = np.array(problems, dtype=np.uint8)
        names = [self._symbol(row) for row in cells]
        listed = {name: place for place, name in enumerate(dict.fromkeys(names))}
        return Rows(
            list(listed),
            np.array([listed[name] for name in names], dtype=np.int32),
            time,
            {
                name: np.array([_number(row[at]) for row in cells], dtype=np.float64)
                for name, at in zip(VALUES, columns.values, strict=True)
            },
            np.array(lines, dtype=np.int64),
            np.where(codes == Reason.SOUND, bad_times, codes).astype(np.uint8),
            lambda row: shortened(decoded(raws[row])[0]),
            block.done,
        )

    def _cells(self, found: Mapping[str, Any]) -> list[Any]:
        return [found.get(member, _ABSENT) for member in self._members]

    def _time(self, row: list[Any]) -> str:
        columns = self._columns
        text = _text(row[columns.time])
        return text if columns.date is None else f"{_text(row[columns.date])}T{text}"

    def _symbol(self, row: list[Any]) -> str:
        at = self._columns.symbol
        return (self._reading.symbol or "") if at is None else _text(row[at]).strip()


_ABSENT = object()
"""Stands for a member that a line does not have: null is a value."""


def parsed(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None when it has none."""
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _needed(columns: Columns) -> list[int]:
    told = [columns.time, columns.date, columns.symbol, *columns.values]
    return [at for at in told if at is not None]


def _why_none(raw: bytes) -> Reason:
    _, problem = decoded(raw)
    return Reason.NOT_AN_OBJECT if problem == Reason.SOUND else problem


def _text(value: Any) -> str:
    """A text or a whole number as text; nothing else is a time or a symbol."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return ""


def _number(value: Any) -> float:
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")
