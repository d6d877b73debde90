"""Read: one series from a text file or a data frame, without a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.errors import FileFormatError, InputError, UnknownNameError
from candlewick.sessions.calendar import Calendar
from candlewick.sources.arrow import TableSource
from candlewick.sources.check import check
from candlewick.sources.csv import CsvSource
from candlewick.sources.duplicates import resolve
from candlewick.sources.files import sources
from candlewick.sources.rows import Reason
from candlewick.sources.source import Reading, Source
from candlewick.sources.staging import Staged, staged
from candlewick.timeframe import Timeframe


def read_csv(
    path: str | Path,
    *,
    symbol: str | None = None,
    timeframe: str | Timeframe,
    calendar: str | Calendar,
    timezone: str | None = None,
) -> Candles:
    """The candles of one symbol in a CSV file (plain, gz, or a zip with one member), in any order of time.

    ``symbol`` chooses among several in the file, or names the series when the file has no symbol column. Identical
    duplicates collapse. Raises InputError naming line and reason for the first bad row of the series, where `ingest`
    would quarantine it, and for several symbols without a choice; the errors of `ingest` for a bad file.
    """
    found = sources([path])
    if len(found) != 1 or not isinstance(found[0], CsvSource):
        raise FileFormatError("path", str(path), "give one CSV file", "is not one CSV file")
    return _series(found[0], Reading.of(calendar, timeframe, symbol, timezone))


def from_frame(
    frame: Any,
    *,
    symbol: str | None = None,
    timeframe: str | Timeframe,
    calendar: str | Calendar,
    timezone: str | None = None,
) -> Candles:
    """The candles of one symbol in a frame of pandas or polars, or any table that speaks Arrow, in any order of time.

    Columns are found by their usual names in any case and order, others ignored; a pandas index of times is the time.
    ``symbol`` chooses among several in the frame, or names the series when no column does. ``timezone`` (IANA) says
    where times without one are; with 1d and coarser, dates and midnights without one are session labels. Raises
    NaiveTimeError for other times without a timezone, MissingColumnError, InputError naming row and reason for the
    first bad row, and where no candle of 1d or coarser opens inside a session: midnights of a timezone do not.
    """
    reading = Reading.of(calendar, timeframe, symbol, timezone)
    source = TableSource(frame)
    source.name = "frame"
    candles = _series(source, reading)
    if not reading.timeframe.intraday and not reading.calendar.inside(candles.microseconds).any():
        expected = "give dates, or midnights without a timezone, as frame.tz_localize(None) makes of an index"
        problem = f"and the other times are in no session of {reading.calendar.name}"
        raise InputError("frame", str(candles.time[0]), expected, problem)
    return candles


def _series(source: Source, reading: Reading) -> Candles:
    symbol = reading.symbol
    source.prepare(reading)
    parts, name = _parts(source, symbol)
    resolved = resolve(np.concatenate(parts))
    if len(resolved.conflicts):
        line = int(resolved.conflicts["line"].min())
        raise _bad(source, line, Reason.CONFLICTING_DUPLICATE, source.raw([line])[line])
    columns = {column: np.ascontiguousarray(resolved.rows[column]) for column in ("time", *VALUES)}
    time = columns.pop("time")
    return Candles.trusted(name, reading.timeframe, reading.calendar, time, columns)


def _parts(source: Source, symbol: str | None) -> tuple[list[Staged], str]:
    parts: list[Staged] = []
    seen: dict[str, None] = {}
    for rows in source.rows():
        problem = check(rows, symbol)
        bad = (problem != Reason.SOUND) & (problem != Reason.ANOTHER_SYMBOL)
        if symbol is not None:
            # A row that could not be taken apart may be of any symbol: it is refused too.
            other = np.array([bool(name) and name != symbol for name in rows.names], dtype=np.bool_)[rows.symbol]
            bad &= ~other
        if bad.any():
            at = int(np.argmax(bad))
            raise _bad(source, int(rows.line[at]), Reason(problem[at]), rows.raw(at))
        sound = problem == Reason.SOUND
        seen.update(dict.fromkeys(np.array(rows.names, dtype=object)[np.unique(rows.symbol)].tolist()))
        if len(seen) > 1 and symbol is None:
            expected = f"choose one with symbol=: the file holds {', '.join(list(seen)[:5])}"
            raise InputError("symbol", source.name, expected, "holds several symbols")
        parts.append(staged(rows, np.zeros(len(rows), dtype=np.int32), sound))
    name = next(iter(seen)) if symbol is None else symbol
    if name not in seen:
        raise UnknownNameError("symbol", name, seen, expected=f"it is not in {source.name}")
    return parts, name


def _bad(source: Source, line: int, reason: Reason, raw: str) -> InputError:
    return InputError(
        f"{source.name} {'line' if isinstance(source, CsvSource) else 'row'} {line}",
        raw,
        "correct the row, or ingest them all, which sets it aside",
        f"is refused: {reason.phrase}",
    )
