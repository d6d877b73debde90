"""Series table: the statements that read and write the records of series and their histories, inside a given cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from candlewick.errors import StoreError
from candlewick.store.candle_table import table_of
from candlewick.store.catalogue import Entry
from candlewick.store.fresh import Fresh
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
_FIGURES = ", ".join(f"{name} = records.{name}" for name in (*RECORD[4:], "written_at"))

NOTHING = Note(0, 0, "", "", 0)
"""Of a change without a write."""


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


def record(cursor: Any, number: int) -> Series:
    """The record of one series as the transaction sees it."""
    return _series(cursor.execute(f"SELECT {_RECORD} FROM series WHERE id = ?", [number]).fetchall()[0])


def records(cursor: Any, numbers: Sequence[int] | None = None) -> dict[int, tuple[Series, Trail]]:
    """The records of these series (None: of all) as the transaction sees them, by number."""
    where = "" if numbers is None else f"WHERE id IN ({', '.join(map(str, numbers))})"
    rows = cursor.execute(f"SELECT {_RECORD}, {_TRAIL} FROM series {where}").fetchall()
    return {row[0]: (_series(row[: len(RECORD)]), _trail(row[len(RECORD) :])) for row in rows}


def write(cursor: Any, changed: Sequence[Fresh]) -> None:
    """Put the records of changed series in the place of the old ones, and their newest stairs on top of the others.

    A statement takes milliseconds, most of what a small write takes: the usual ones do with fewer, and fewer columns.
    """
    usual = all(one.usual for one in changed)
    cursor.register("records", table_of(_columns(changed, usual=usual)))
    if usual:
        cursor.execute(f"UPDATE series SET {_FIGURES} FROM records WHERE series.id = records.id")
    else:
        if not all(one.new for one in changed):
            cursor.execute("DELETE FROM series WHERE id IN (SELECT id FROM records)")
        cursor.execute(f"INSERT INTO series SELECT {_RECORD}, {_TRAIL} FROM records")
    steps = {one.step for one in changed}
    if steps == {0}:  # each on the stair that it stood on
        where = "series = id AND history.day = records.day"
        cursor.execute(f"UPDATE history SET revision = records.revision FROM records WHERE {where}")
    else:
        if steps != {1}:
            cursor.execute("DELETE FROM history USING records WHERE series = id AND history.day >= records.day")
        cursor.execute("INSERT INTO history SELECT id, day, revision FROM records")
    cursor.execute(
        f"INSERT INTO writes SELECT id, revision, written_at, kind, calendar, day, {', '.join(NOTE[1:])} "
        "FROM records WHERE kind <> ''"
    )
    cursor.unregister("records")


def _columns(changed: Sequence[Fresh], *, usual: bool) -> dict[str, list[Any]]:
    """What the statements need to know, by name."""
    series = [one.after.series for one in changed]
    trails = [one.after.trail for one in changed]
    notes = dict(zip(Note._fields, zip(*(one.note or NOTHING for one in changed), strict=True), strict=True))
    columns: dict[str, list[Any]] = {"id": [one.after.place for one in changed]}
    columns |= {name: [getattr(one, name) for one in series] for name in RECORD[3:]}
    columns |= {name: list(notes[name]) for name in NOTE}
    columns["day"] = [one.after.history.last_day for one in changed]
    columns["written_at"] = [trail.written_at for trail in trails]
    if not usual:
        columns["symbol"] = [one.symbol for one in series]
        columns["timeframe"] = [str(one.timeframe) for one in series]
        floors = zip(*((*trail.purged, *trail.retired) for trail in trails), strict=True)
        columns |= {name: list(column) for name, column in zip(TRAIL[1:], floors, strict=True)}
    return columns


def _series(row: Sequence[Any]) -> Series:
    _, symbol, length, *rest = row
    return Series(symbol, Timeframe.parse(length), *rest)


def _trail(row: Sequence[int]) -> Trail:
    return Trail(row[0], Floor(*row[1:4]), Floor(*row[4:]))
