"""Entry after: what a write or a deletion makes of a series' entry, decided in one place for every store."""

from __future__ import annotations

from candlewick.candles import Candles
from candlewick.store.catalogue import Entry, Place
from candlewick.store.change import Counted
from candlewick.store.history import History, day_of
from candlewick.store.repository import Series
from candlewick.store.revisions import APPEND, CHANGE, DELETE, RETIRE, REWRITING, Note


def new_entry(candles: Candles, place: Place) -> Entry[Place]:
    """The entry of a series to which nothing was written yet."""
    return Entry(Series(candles.symbol, candles.timeframe, candles.calendar.name, 0, 0, 0, 0, 0), History(), place)


def after_write(entry: Entry[Place], candles: Candles, counted: Counted, now: int) -> tuple[Entry[Place], Note]:
    """The entry after a write at ``now`` that changes something, and the note of it."""
    record, time = entry.series, candles.microseconds
    first, last = int(time[0]), int(time[-1])
    earlier = counted.first_new is not None and counted.first_new < record.last
    rewritten = record.rows > 0 and (counted.updated > 0 or earlier)
    note = Note(
        record.revision + 1,
        entry.trail.next(now),
        CHANGE if rewritten else APPEND,
        candles.calendar.name,
        day_of(first if counted.first is None else counted.first),
        counted.inserted,
        counted.updated,
    )
    rows = record.rows + counted.inserted
    first, last = (min(record.first, first), max(record.last, last)) if record.rows else (first, last)
    return _next(entry, note, rows, first, last), note


def after_removal(
    entry: Entry[Place], gone: int, first_gone: int, left: tuple[int, int], now: int, *, for_good: bool
) -> tuple[Entry[Place], Note]:
    """The entry after ``gone`` candles were deleted, the earliest at ``first_gone``; ``left``: first and last time of
    the others, zeros when none is left."""
    record = entry.series
    kind = RETIRE if for_good else DELETE
    note = Note(record.revision + 1, entry.trail.next(now), kind, record.calendar, day_of(first_gone), removed=gone)
    return _next(entry, note, record.rows - gone, *left), note


def _next(entry: Entry[Place], note: Note, rows: int, first: int, last: int) -> Entry[Place]:
    record = entry.series
    generation = record.generation + int(note.kind in REWRITING)
    series = Series(record.symbol, record.timeframe, note.calendar, rows, first, last, note.revision, generation)
    history = entry.history.written(note.day, note.revision)
    return Entry(series, history, entry.place, entry.trail.noted(note.written_at))
