"""Postgres series: the statements that lock, read and write the records of series, inside a given cursor.

1. Who writes a series locks its row first, always in the order of the ids, so that writers never wait in a circle
   (`lock`). New rows are made before, in the order of their names (`make`).
2. All records of a transaction are written by its last statement (`write`), which also counts the commit: the count
   is held from there to the commit, so that whoever sees it has seen every commit below it.
3. What others committed is found by that count (`changed_since`): the records, and the stairs that came since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from candlewick.errors import StoreError, StoreVersionError
from candlewick.store.catalogue import Entry, Key
from candlewick.store.history import History
from candlewick.store.postgres_schema import SCHEMA
from candlewick.store.repository import Series
from candlewick.store.revisions import Floor, Note, Trail
from candlewick.timeframe import Timeframe


class Held(NamedTuple):
    """Where a series is: its id, and the count of commits at which its record came."""

    id: int
    changed: int


class Fresh(NamedTuple):
    """A series as it was and as it will be, and the note of the write; None where no candle changed."""

    before: Entry[Held]
    after: Entry[Held]
    note: Note | None


Known = Mapping[int, Entry[Held]]
"""Entries by id."""

RECORD = ("id", "symbol", "timeframe", "calendar", "rows", "first", "last", "revision", "generation")
TRAIL = (
    "written_at",
    *("purged_revision", "purged_since", "purged_before"),
    *("retired_revision", "retired_since", "retired_before"),
)
COLUMNS = ", ".join(f"s.{name}" for name in (*RECORD, *TRAIL))
PIECE = 500
"""Records that are asked for at a time."""

_SPLIT = len(RECORD)
_STAIRS = (
    "CASE WHEN s.changed > {since} THEN "
    "ARRAY(SELECT h.day FROM history h WHERE h.series = s.id AND h.changed > {since} ORDER BY h.day) END, "
    "CASE WHEN s.changed > {since} THEN "
    "ARRAY(SELECT h.revision FROM history h WHERE h.series = s.id AND h.changed > {since} ORDER BY h.day) END"
)
_NOTHING = Note(0, 0, "", "", 0)

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The database's clock, microseconds UTC: one for all processes, on whatever machine."""

_FIGURES = ("calendar", "rows", "first", "last", "revision", "generation", *TRAIL)
_NOTED = ("kind", "day", "inserted", "updated", "removed")
_KINDS = {"id": "int", "calendar": "text", "kind": "text"}
_SENT = ("id", *_FIGURES, *_NOTED)
_ARRAYS = ", ".join(f"%s::{_KINDS.get(name, 'bigint')}[]" for name in _SENT)
_WRITE = f"""
WITH counted AS (UPDATE candlewick SET changes = changes + 1 WHERE schema = {SCHEMA} RETURNING changes),
fresh AS (SELECT * FROM unnest({_ARRAYS}) AS f({", ".join(_SENT)})),
recorded AS (
    UPDATE series s SET {", ".join(f"{name} = f.{name}" for name in _FIGURES)}, changed = counted.changes
    FROM fresh f, counted WHERE s.id = f.id
),
hidden AS (
    DELETE FROM history h USING fresh f WHERE h.series = f.id AND h.day > f.day AND f.kind <> ''
),
stairs AS (
    INSERT INTO history SELECT f.id, f.day, f.revision, counted.changes FROM fresh f, counted WHERE f.kind <> ''
    ON CONFLICT (series, day) DO UPDATE SET revision = excluded.revision, changed = excluded.changed
),
noted AS (
    INSERT INTO writes
    SELECT f.id, f.revision, f.written_at, f.kind, f.calendar, f.day, f.inserted, f.updated, f.removed
    FROM fresh f, counted WHERE f.kind <> ''
)
SELECT changes, pg_notify(%s, changes::text) FROM counted
"""


def counter(cursor: Any) -> tuple[int, int]:
    """The count of commits, and the one at which split factors last changed."""
    found = cursor.execute("SELECT changes, splits FROM candlewick").fetchall()[0]
    return found[0], found[1]


def count_splits(cursor: Any, channel: str) -> int:
    """Count a change of the split factors, the last statement before its commit; the count.

    Raises StoreVersionError where the tables were upgraded.
    """
    found = cursor.execute(
        f"WITH counted AS (UPDATE candlewick SET changes = changes + 1, splits = changes + 1 WHERE schema = {SCHEMA} "
        "RETURNING changes) SELECT changes, pg_notify(%s, changes::text) FROM counted",
        [channel],
    ).fetchall()
    if not found:
        raise StoreVersionError(f"store: its tables are not of schema {SCHEMA} any more: use a newer candlewick")
    return int(found[0][0])


def changed_since(cursor: Any, since: int, known: Known) -> list[Entry[Held]]:
    """The entries whose records came after a count of commits, of which all before are in ``known``.

    What is known already, as all that this process wrote, is not read again.
    """
    rows = cursor.execute(f"SELECT id, changed FROM series WHERE changed > {int(since)}").fetchall()
    newer = [number for number, changed in rows if number not in known or known[number].place.changed < changed]
    if not newer:
        return []
    stairs = _STAIRS.format(since=int(since))
    query = f"SELECT {COLUMNS}, s.changed, {stairs} FROM series s WHERE s.id = ANY('{numbers(newer)}'::int[])"
    if len(newer) <= PIECE:
        return [_entry(row, known) for row in cursor.execute(query).fetchall()]
    found = []
    with cursor.connection.transaction():  # one state of the database, asked for in pieces that it soon answers
        cursor.execute(f"DECLARE changed NO SCROLL CURSOR FOR {query}")
        while rows := cursor.execute(f"FETCH {PIECE} FROM changed").fetchall():
            found += [_entry(row, known) for row in rows]
    return found


def entries(cursor: Any, ids: Sequence[int], known: Known) -> tuple[list[Entry[Held]], int]:
    """The entries of some series as they are now, and the database's time, microseconds UTC."""
    held = [known[number].place.changed if number in known else -1 for number in ids]
    query = (
        f"SELECT {COLUMNS}, s.changed, {_STAIRS.format(since='k.changed')}, {NOW} "
        "FROM unnest(%s::int[], %s::bigint[]) AS k(id, changed) JOIN series s USING (id)"
    )
    rows = cursor.execute(query, [numbers(ids), numbers(held)]).fetchall()
    return [_entry(row[:-1], known) for row in rows], rows[0][-1] if rows else 0


def records(cursor: Any, ids: Sequence[int] | None = None) -> dict[int, tuple[Series, Trail]]:
    """The records of these series (None: of all) as the transaction sees them, by id."""
    where = "" if ids is None else f"WHERE s.id IN ({', '.join(str(int(number)) for number in ids)})"
    rows = cursor.execute(f"SELECT {COLUMNS} FROM series s {where}").fetchall()
    return {row[0]: (_series(row), _trail(row)) for row in rows}


def make(cursor: Any, wanted: Iterable[tuple[Key, str]]) -> None:
    """Rows for (symbol, timeframe) with a calendar, where there is none yet. Waits for others that make the same."""
    rows = sorted((symbol, str(length), calendar) for (symbol, length), calendar in wanted)
    cursor.execute(
        "INSERT INTO series (symbol, timeframe, calendar) SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) "
        "ON CONFLICT DO NOTHING",
        [list(column) for column in zip(*rows, strict=True)],
    )


def lock(cursor: Any, keys: Iterable[Key]) -> list[int]:
    """Lock the rows of series until the end of the transaction; their ids."""
    symbols, lengths = zip(*((symbol, str(length)) for symbol, length in keys), strict=True)
    query = (
        "SELECT id FROM series WHERE (symbol, timeframe) IN (SELECT * FROM unnest(%s::text[], %s::text[])) "
        "ORDER BY id FOR UPDATE"
    )
    return [row[0] for row in cursor.execute(query, [list(symbols), list(lengths)]).fetchall()]


def settle(cursor: Any, ids: Sequence[int] | None) -> None:
    """Wait for those who write these series just now (None: any of them). Holds nobody up afterwards."""
    where = "" if ids is None else f"WHERE id IN ({', '.join(str(int(number)) for number in ids)})"
    cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM series {where} ORDER BY id FOR SHARE) AS locked")


def write(cursor: Any, channel: str, changed: Sequence[Fresh]) -> list[Entry[Held]]:
    """Put the records of changed series in the place of the old ones: the last statement before the commit.

    Returns the entries as they are from the commit on. Raises StoreVersionError where the tables were upgraded.
    """
    columns: dict[str, list[Any]] = {name: [] for name in _SENT}
    for _, after, note in changed:
        said = note or _NOTHING
        figures = {name: getattr(after.series, name) for name in _FIGURES[:6]}
        trail = (after.trail.written_at, *after.trail.purged, *after.trail.retired)
        figures |= dict(zip(TRAIL, trail, strict=True)) | {name: getattr(said, name) for name in _NOTED}
        figures["id"] = after.place.id
        for name, column in columns.items():
            column.append(figures[name])
    sent = [column if name in _KINDS and name != "id" else numbers(column) for name, column in columns.items()]
    found = cursor.execute(_WRITE, [*sent, channel]).fetchall()
    if not found:
        raise StoreVersionError(f"store: its tables are not of schema {SCHEMA} any more: use a newer candlewick")
    return [
        Entry(after.series, after.history, Held(after.place.id, found[0][0]), after.trail) for _, after, _ in changed
    ]


def numbers(column: Sequence[int]) -> str:
    """An array of numbers as PostgreSQL writes it: one text, where the driver would take thousands of them."""
    return "{" + ",".join(map(str, column)) + "}"


def _entry(row: Sequence[Any], known: Known) -> Entry[Held]:
    """From a row of the columns, the count of its commit and the stairs that came since the one that is known."""
    changed, days, revisions = row[len(RECORD) + len(TRAIL) :]
    before = known.get(row[0])
    if before is not None and before.place.changed >= changed:
        return before  # there are no stairs in the row then
    history = History() if before is None else before.history
    for day, revision in zip(days, revisions, strict=True):
        if revision > history.last[1]:
            history = history.written(day, revision)
    series = _series(row)
    if history.last[1] != series.revision:
        raise StoreError(
            f"store: the history of {series.symbol} {series.timeframe} does not end at revision {series.revision}"
        )
    return Entry(series, history, Held(row[0], changed), _trail(row))


def _series(row: Sequence[Any]) -> Series:
    _, symbol, timeframe, calendar, *figures = row[:_SPLIT]
    return Series(symbol, Timeframe.parse(timeframe), calendar, *figures)


def _trail(row: Sequence[Any]) -> Trail:
    written_at, *floors = row[_SPLIT : _SPLIT + len(TRAIL)]
    return Trail(written_at, Floor(*floors[:3]), Floor(*floors[3:]))
