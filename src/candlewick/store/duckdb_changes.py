"""DuckDB changes: what happens to the rows of series that are written, inside the transaction that writes them.

1. `writes` compares what comes in with what is stored, and says what that makes of the record of each series.
2. `put` and `remove` change the candles; whatever stops being current moves to the revisions.
3. The records are written last (`series_table`); the catalogue has them from the commit on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from candlewick.candles import VALUES, Candles
from candlewick.store import as_known, candle_table
from candlewick.store.candle_table import overlapping, where_clause
from candlewick.store.catalogue import Entry, Key
from candlewick.store.change import appended, compared
from candlewick.store.entry_after import after_removal, after_write, new_entry
from candlewick.store.fresh import Fresh, Write
from candlewick.store.repository import Series
from candlewick.store.revisions import Note


def writes(cursor: Any, entries: Mapping[Key, Entry[int]], batch: Sequence[Candles], now: int) -> list[Write]:
    """What a batch that comes at ``now`` changes, series by series; new ones get the numbers behind the known ones."""
    following: int | None = None
    known: list[tuple[Entry[int], Candles]] = []
    for candles in batch:
        entry = entries.get((candles.symbol, candles.timeframe))
        if entry is None:
            if following is None:
                following = max((one.place for one in entries.values()), default=-1)
            following += 1
            entry = new_entry(candles, following)
        known.append((entry, candles))
    crossing = [(entry.place, candles) for entry, candles in known if _overlaps(entry.series, candles)]
    stored = overlapping(cursor, crossing)
    found = []
    for entry, candles in known:
        change = compared(candles, *stored[entry.place]) if entry.place in stored else appended(candles)
        done: tuple[Entry[int], Note | None] = (entry, None)
        if change.upserted.changed:
            done = after_write(entry, candles, change.counted(candles), now)
        found.append(Write(Fresh(entry, *done), candles, change))
    return found


def put(cursor: Any, changing: Sequence[Write]) -> None:
    """Write the candles that are new, then those that take the place of different ones: all of these pass here."""
    new = [(one, one.change.new, one.change.upserted.inserted) for one in changing]
    candle_table.put(cursor, ["INSERT INTO candles SELECT * FROM incoming"], new)
    where = "candles.series = incoming.series AND candles.time = incoming.time"
    moved = f"INSERT INTO revisions SELECT candles.*, incoming.revision FROM candles JOIN incoming ON {where}"
    values = ", ".join(f"{name} = incoming.{name}" for name in (*VALUES, "revision"))
    different = [(one, one.change.different, one.change.upserted.updated) for one in changing]
    candle_table.put(cursor, [moved, f"UPDATE candles SET {values} FROM incoming WHERE {where}"], different)


def remove(cursor: Any, entry: Entry[int], low: int | None, high: int | None, now: int, *, for_good: bool) -> Fresh:
    """Delete a range of a series; every candle that is deleted passes here."""
    where, given = where_clause(entry.place, low, high)
    first = cursor.execute(f"SELECT min(time) FROM candles WHERE {where}", given).fetchall()[0][0]
    after, note = entry, None
    if first is not None:
        if not for_good:
            until = entry.series.revision + 1
            cursor.execute(f"INSERT INTO revisions SELECT *, {until} FROM candles WHERE {where}", given)
        gone = int(cursor.execute(f"DELETE FROM candles WHERE {where}", given).fetchall()[0][0])
        query = "SELECT coalesce(min(time), 0), coalesce(max(time), 0) FROM candles WHERE series = ?"
        left = cursor.execute(query, [entry.place]).fetchall()[0]
        after, note = after_removal(entry, gone, first, left, now, for_good=for_good)
    if for_good:
        versions = cursor.execute(f"DELETE FROM revisions WHERE {where}", given).fetchall()[0][0]
        if versions or note is not None:
            after = replace(after, trail=after.trail.after_retirement(after.series.revision, high))
    return Fresh(entry, after, note)


def purge(cursor: Any, entry: Entry[int], at: int) -> tuple[Fresh, int]:
    """Remove the versions that were replaced or deleted at or before a moment; how many those were."""
    trail, count = as_known.purge(cursor, entry.place, at, entry.trail)
    return Fresh(entry, entry if trail is entry.trail else replace(entry, trail=trail), None), count


def _overlaps(record: Series, candles: Candles) -> bool:
    return bool(record.rows and len(candles) and candles.microseconds[0] <= record.last)
