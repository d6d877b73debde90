"""Series table: the statements that read and write the records of series and their histories, inside a given cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from candlewick.errors import StoreError
from candlewick.store.candle_table import table_of
from candlewick.store.catalogue import Entry
from candlewick.store.history import History
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

RECORD = ("id", "symbol", "timeframe", "calendar", "rows", "first", "last", "revision", "generation")
_RECORD = ", ".join(RECORD)


def entries(cursor: Any) -> list[Entry[int]]:
    """Every series of the file; its place is its id. Raises StoreError where a history is not that of its series."""
    rows = cursor.execute(f"SELECT {_RECORD} FROM series").fetchall()
    table = cursor.sql("SELECT series, day, revision FROM history").to_arrow_table()
    series, days, revisions = (table.column(name).to_numpy() for name in ("series", "day", "revision"))
    order = np.lexsort((days, series))
    series, days, revisions = series[order], days[order], revisions[order]
    same = series[1:] == series[:-1]
    if (same & ((days[1:] <= days[:-1]) | (revisions[1:] <= revisions[:-1]))).any():
        raise StoreError("store: the days and revisions of a history do not ascend")
    numbers = [row[0] for row in rows]
    cuts = zip(np.searchsorted(series, numbers), np.searchsorted(series, numbers, side="right"), strict=True)
    found = []
    for row, (first, stop) in zip(rows, cuts, strict=True):
        history = History(days[first:stop].tobytes(), revisions[first:stop].tobytes())
        entry = Entry(_series(row), history, row[0])
        if history.last[1] != entry.series.revision:
            raise StoreError(
                f"store: the history of {row[1]} {row[2]} does not end at revision {entry.series.revision}"
            )
        found.append(entry)
    return found


def record(cursor: Any, number: int) -> Series:
    """The record of one series as the transaction sees it."""
    return _series(cursor.execute(f"SELECT {_RECORD} FROM series WHERE id = ?", [number]).fetchall()[0])


def write(cursor: Any, changed: Sequence[Entry[int]]) -> None:
    """Put the records of changed series in the place of the old ones, and their newest stairs on top of the others."""
    names = (*RECORD, "day")
    columns = zip(*(_row(entry) for entry in changed), strict=True)
    cursor.register("records", table_of({name: list(column) for name, column in zip(names, columns, strict=True)}))
    cursor.execute("DELETE FROM series WHERE id IN (SELECT id FROM records)")
    cursor.execute(f"INSERT INTO series SELECT {_RECORD} FROM records")
    cursor.execute("DELETE FROM history USING records WHERE series = id AND history.day >= records.day")
    cursor.execute("INSERT INTO history SELECT id, day, revision FROM records")
    cursor.unregister("records")


def _series(row: Sequence[Any]) -> Series:
    _, symbol, length, *rest = row
    return Series(symbol, Timeframe.parse(length), *rest)


def _row(entry: Entry[int]) -> tuple[Any, ...]:
    one = entry.series
    figures = one.calendar, one.rows, one.first, one.last, one.revision, one.generation
    return entry.place, one.symbol, str(one.timeframe), *figures, entry.history.last[0]
