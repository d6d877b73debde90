"""Postgres changes: the transaction in which series are written, and what happens to their rows inside it.

1. Whoever changes series holds their rows until the commit (`PostgresWriter.changing`), and reads them only then.
2. `put` changes the candles, as do `postgres_removal.remove` and `purge`: they say what that makes of each record.
3. All records are written by the last statement before the commit; after it this process knows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from candlewick.candles import Candles
from candlewick.clock import Clock
from candlewick.store import postgres_rows, postgres_series, split_table
from candlewick.store.catalogue import Entry, Key
from candlewick.store.entry_after import after_write
from candlewick.store.postgres_catalogue import PostgresCatalogue
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_rows import Counted, Put
from candlewick.store.postgres_series import Fresh, Held
from candlewick.store.repository import Series, Upserted


@dataclass
class Changing:
    """Series that a transaction holds as they were at ``now``, and ``done``: what it makes of them."""

    cursor: Any
    held: Mapping[Key, Entry[Held]]
    now: int
    done: list[Fresh] = field(default_factory=list)


class PostgresWriter:
    """``channel``: where other processes hear of a commit. ``clock``: None takes that of the database."""

    def __init__(self, link: PostgresLink, catalogue: PostgresCatalogue, channel: str, clock: Clock | None) -> None:
        self._link = link
        self._catalogue = catalogue
        self._channel = channel
        self._clock = clock

    @contextmanager
    def changing(self, keys: Sequence[Key], new: Sequence[tuple[Key, str]] = ()) -> Iterator[Changing]:
        """A transaction that holds these series; ``new``: those that are made first, with their calendars."""
        with self._link.writing() as cursor:
            if new:
                postgres_series.make(cursor, new)
            ids = postgres_series.lock(cursor, keys)
            found, now = postgres_series.entries(cursor, ids, self._catalogue.known)
            change = Changing(cursor, {entry.key: entry for entry in found}, self.time(now))
            yield change
            changed = [one for one in change.done if one.after is not one.before]
            fresh = postgres_series.write(cursor, self._channel, changed) if changed else []
        self._catalogue.publish(fresh)

    def keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        """Set a factor, or remove it (None)."""
        with self._link.writing() as cursor:
            # Those who change factors follow each other: what is read here is what holds at the count.
            cursor.execute("LOCK TABLE splits IN EXCLUSIVE MODE")
            now = cursor.execute(f"SELECT {postgres_series.NOW}").fetchall()[0][0]
            split_table.keep(cursor, "%s", symbol, time, factor, self.time(now))
            splits = split_table.kept(cursor)
            count = postgres_series.count_splits(cursor, self._channel)
        self._catalogue.publish_splits(count, splits)

    def time(self, now: int) -> int:
        """When something is written, where it is ``now`` for the database."""
        return now if self._clock is None else self._clock.wall()


def put(
    cursor: Any, writes: Sequence[tuple[Entry[Held], Candles]], now: int
) -> tuple[dict[Key, Upserted], list[Fresh]]:
    """Write candles at ``now``: what that did to each series, and those that it changed."""
    puts = [Put(entry.place.id, entry.series.revision + 1, one) for entry, one in writes]
    crossing = [one for one, (entry, _) in zip(puts, writes, strict=True) if _overlaps(entry.series, one.candles)]
    counts: dict[int, Counted] = {}
    if crossing:
        counts = postgres_rows.stage(cursor, crossing)
        replaced, added = (any(one[k] for one in counts.values()) for k in (1, 0))
        postgres_rows.take_over(cursor, crossing, replaced=replaced, added=added)
    appended = [one for one in puts if one.series not in counts]
    if appended:
        postgres_rows.copy_in(cursor, "candles", appended)
    done: dict[Key, Upserted] = {}
    changed = []
    for entry, candles in writes:
        first = int(candles.microseconds[0])
        counted = counts.get(entry.place.id) or Counted(len(candles), 0, first, first)
        unchanged = len(candles) - counted.inserted - counted.updated
        done[entry.key] = Upserted(counted.inserted, counted.updated, unchanged)
        if done[entry.key].changed:
            changed.append(Fresh(entry, *after_write(entry, candles, counted, now)))
    return done, changed


def _overlaps(record: Series, candles: Candles) -> bool:
    return bool(record.rows and candles.microseconds[0] <= record.last)
