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
from candlewick.store.revisions import Floor, Note, Trail
from candlewick.timeframe import Timeframe

RECORD = ("id", "symbol", "timeframe", "calendar", "rows", "first", "last", "revision", "generation")
TRAIL = (
    "written_at",
    *("purged_revision", "purged_since", "purged_before"),
    *("retired_revision", "retired_since", "retired_before"),
)
NOTE = ("kind", "inserted", "updated", "removed")
_RECORD, _TRAIL = ", ".join(RECORD), ", ".join(TRAIL)


def entries(cursor: Any) -> list[Entry[int]]:
    """Every series of the file; its place is its id. Raises StoreError where a history is not that of its series."""
    rows = cursor.execute(f"SELECT {_RECORD}, {_TRAIL} FROM series").fetchall()
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
        entry = Entry(_series(row[: len(RECORD)]), history, row[0], _trail(row[len(RECORD) :]))
        if history.last[1] != entry.series.revision:
            raise StoreError(
                f"store: the history of {row[1]} {row[2]} does not end at revision {entry.series.revision}"
            )
        found.append(entry)
    return found


def records(cursor: Any, numbers: Sequence[int] | None = None) -> dict[int, tuple[Series, Trail]]:
    """The records of these series (None: of all) as the transaction sees them, by number."""
    where = "" if numbers is None else f"WHERE id IN ({', '.join(map(str, numbers))})"
    rows = cursor.execute(f"SELECT {_RECORD}, {_TRAIL} FROM series {where}").fetchall()
    return {row[0]: (_series(row[: len(RECORD)]), _trail(row[len(RECORD) :])) for row in rows}


def write(cursor: Any, changed: Sequence[tuple[Entry[int], Note | None]]) -> None:
    """Put the records of changed series in the place of the old ones, and their newest stairs on top of the others.

    Each with the note of the write that changed it; None where no candle changed.
    """
    names = (*RECORD, *TRAIL, "day", *NOTE)
    columns = zip(*(_row(entry, note) for entry, note in changed), strict=True)
    cursor.register("records", table_of({name: list(column) for name, column in zip(names, columns, strict=True)}))
    cursor.execute("DELETE FROM series WHERE id IN (SELECT id FROM records)")
    cursor.execute(f"INSERT INTO series SELECT {_RECORD}, {_TRAIL} FROM records")
    cursor.execute("DELETE FROM history USING records WHERE series = id AND history.day >= records.day")
    cursor.execute("INSERT INTO history SELECT id, day, revision FROM records")
    cursor.execute(
        f"INSERT INTO writes SELECT id, revision, written_at, kind, calendar, day, {', '.join(NOTE[1:])} "
        "FROM records WHERE kind IS NOT NULL"
    )
    cursor.unregister("records")


def _series(row: Sequence[Any]) -> Series:
    _, symbol, length, *rest = row
    return Series(symbol, Timeframe.parse(length), *rest)


def _trail(row: Sequence[int]) -> Trail:
    return Trail(row[0], Floor(*row[1:4]), Floor(*row[4:]))


def _row(entry: Entry[int], note: Note | None) -> tuple[Any, ...]:
    one, trail = entry.series, entry.trail
    figures = one.calendar, one.rows, one.first, one.last, one.revision, one.generation
    floors = (*_numbers(trail.purged), *_numbers(trail.retired))
    noted = (None, 0, 0, 0) if note is None else (note.kind, note.inserted, note.updated, note.removed)
    day = entry.history.last[0]
    return entry.place, one.symbol, str(one.timeframe), *figures, trail.written_at, *floors, day, *noted


def _numbers(floor: Floor) -> tuple[int, int, int]:
    return floor.revision, floor.since, floor.before
