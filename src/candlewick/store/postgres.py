"""The store for a team: one PostgreSQL database, used by any number of processes at once.

Candles are unique by their key, writers of one series follow each other by the lock of its row, and what a process
knows of its series is a catalogue that is never older than a tenth of a second (`postgres_watch.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from candlewick.candles import Candles
from candlewick.clock import Clock
from candlewick.errors import StoreError
from candlewick.moments import Moment
from candlewick.postgres_address import PostgresAddress
from candlewick.sessions.calendar import find_calendar
from candlewick.store import postgres_rows, postgres_schema, postgres_series
from candlewick.store.as_known import SeriesAsKnown, written
from candlewick.store.catalogue import Catalogue, Entry, Key
from candlewick.store.catalogued import CataloguedStore
from candlewick.store.check import Problem, check
from candlewick.store.postgres_catalogue import PostgresCatalogue, Told
from candlewick.store.postgres_changes import PostgresWriter, put
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_quarantine import quarantined, refuse
from candlewick.store.postgres_removal import Cut, groups, purge, remove
from candlewick.store.postgres_series import Held
from candlewick.store.postgres_then import records_then, series_then
from candlewick.store.postgres_watch import PostgresWatch
from candlewick.store.repository import (
    QuarantinedRow,
    Series,
    Snapshot,
    Upserted,
    Written,
    bounds,
    check_batch,
    unknown,
)
from candlewick.store.revisions import moment_known
from candlewick.store.splits import Split
from candlewick.store.stats import Stats, postgres_stats
from candlewick.timeframe import Timeframe

CONNECTIONS = 8
"""Connections of one process, beside the one that listens."""


class PostgresStore(CataloguedStore[Held]):
    """Candles in a PostgreSQL database: ``postgresql://user@host/database?schema=candlewick``.

    Tables that are not there are made; older ones wait for ``candlewick store migrate``. ``connections``: of this
    process, beside one that listens. ``clock`` says when a write comes; by default it is the database's, which is one
    for all processes. While the database is away every call raises StoreUnavailableError, at once.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS, clock: Clock | None = None) -> None:
        self._address = PostgresAddress.parse(url)
        self.url = self._address.shown
        self._closed = False
        self._catalogue = PostgresCatalogue()
        with self._address.connect() as connection, self._address.told():
            postgres_schema.migrate(connection, self._address, upgrade=False)
            found = connection.execute("SELECT 'series'::regclass::oid").fetchall()
            channel = f"candlewick_{found[0][0]}"
        self._link = PostgresLink(self._address, connections)
        try:
            self._watch = PostgresWatch(self._link, channel, self._catalogue.look)
        except BaseException:
            self._link.close()
            raise
        self._writer = PostgresWriter(self._link, self._catalogue, channel, clock)

    @property
    def problem(self) -> str | None:
        """Why the database does not answer; None while it does."""
        return self._link.down

    @property
    def degraded(self) -> str | None:
        return "they do not arrive: changes by other processes are found by polling" if self._watch.silent else None

    def hear_others(self, told: Told | None) -> None:
        self._catalogue.told = told

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        catalogue = self._current()
        check_batch(batch, catalogue.calendar_of)
        filled = {(one.symbol, one.timeframe): one for one in batch if len(one)}
        done: dict[Key, Upserted] = {}
        if filled:
            new = [(key, one.calendar.name) for key, one in filled.items() if key not in catalogue.entries]
            with self._writer.changing(list(filled), new) as change:
                check_batch(batch, lambda key: _calendar(change.held.get(key)))
                writes = [(change.held[key], one) for key, one in filled.items()]
                done, change.done = put(change.cursor, writes, change.now)
        return [done.get((one.symbol, one.timeframe), Upserted()) for one in batch]

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        number = self._ever(symbol, timeframe).place.id
        with self._link.reading() as cursor:
            return written(cursor, number, postgres_series.records(cursor, [number])[number][1])

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        for_good: bool = False,
    ) -> int:
        length = None if timeframe is None else Timeframe.parse(timeframe)
        chosen = [entry.key for entry in self._current().to_delete(symbol, length, for_good=for_good)]
        return self._remove(chosen, start, end, for_good=for_good)

    def delete_older_than(
        self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None
    ) -> int:
        length = None if timeframe is None else Timeframe.parse(timeframe)
        catalogue = self._current()
        if symbol is None:
            stored = {name for name, held in catalogue.timeframes.items() if length is None or length in held}
            chosen = [one for one in catalogue.chosen(None, length) if one.series.symbol in stored]
        else:
            chosen = catalogue.to_delete(symbol, length, for_good=True)
        removed = 0
        for group in groups(chosen):
            removed += self._remove([one.key for one in group], None, before, for_good=True)
        return removed

    def _remove(self, keys: Sequence[Key], start: Moment | None, end: Moment | None, *, for_good: bool) -> int:
        with self._writer.changing(keys) as change:
            change.cursor.execute("SET LOCAL statement_timeout = 0")  # it takes as long as there are candles
            within = {name: bounds(name, start, end) for name in {one.series.calendar for one in change.held.values()}}
            cuts = [Cut(one, *within[one.series.calendar]) for one in change.held.values()]
            change.done = remove(change.cursor, cuts, change.now, for_good=for_good)
        return sum(one.before.series.rows - one.after.series.rows for one in change.done)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        purged = 0
        for group in groups(self._current().chosen(symbol, length)):
            with self._writer.changing([one.key for one in group]) as change:
                change.cursor.execute("SET LOCAL statement_timeout = 0")
                change.done, count = purge(change.cursor, list(change.held.values()), at)
            purged += count
        return purged

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        self._current()
        if not rows:
            return 0
        with self._link.writing() as cursor:
            return refuse(cursor, rows)

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        self._current()
        with self._link.borrow() as cursor:
            return quarantined(cursor, symbol)

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        return self._current().splits

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        self._current()
        self._writer.keep_split(symbol, time, factor)

    def compact(self) -> None:
        """Give the room of what was replaced or deleted back to the tables, and tell the planner what they hold.

        Nobody waits for it. Rows stay in the order in which they came: their index gives them in that of their time.
        """
        self._current()
        with self._link.borrow() as cursor:
            cursor.execute("SET statement_timeout = 0")  # the session's: a vacuum is outside of any transaction
            try:
                cursor.execute("VACUUM (ANALYZE) candles, revisions, series, history, writes, quarantine, splits")
            finally:
                if not cursor.connection.broken:
                    cursor.execute("RESET statement_timeout")

    def stats(self) -> Stats:
        with self.tables() as cursor:
            return postgres_stats(cursor, self.url)

    def check(self) -> list[Problem]:
        with self.tables() as cursor:
            return check(cursor)

    @contextmanager
    def tables(self, *, writing: bool = False) -> Iterator[Any]:
        self._current()
        with self._link.writing() if writing else self._link.reading() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            yield cursor

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._watch.close()
            self._link.close()

    def _current(self) -> Catalogue[Held]:
        """What is known of the series, at most `postgres_watch.BOUND` seconds old."""
        if self._closed:
            raise StoreError(f"store: {self.url} is closed")
        self._watch.check()
        return self._catalogue.current

    def _candles(self, entry: Entry[Held], low: int | None, high: int | None) -> Candles:
        with self._link.borrow() as cursor:
            return _candles(cursor, entry, low, high)

    def _count(self, entry: Entry[Held], low: int | None, high: int | None) -> int:
        with self._link.borrow() as cursor:
            where = postgres_rows.within(entry.place.id, low, high)
            return int(cursor.execute(f"SELECT count(*) FROM candles WHERE {where}").fetchall()[0][0])

    def _snapshot(self, entry: Entry[Held], start: Moment | None, end: Moment | None) -> Snapshot:
        with self._link.reading() as cursor:
            (found,), _ = postgres_series.entries(cursor, [entry.place.id], self._catalogue.known)
            candles = _candles(cursor, found, *bounds(found.series.calendar, start, end))
        self._catalogue.publish([found])
        if not found.series.rows:
            raise unknown(self.series(), found.series.symbol, found.series.timeframe)
        return Snapshot(found.series, candles)

    def _known(self, entry: Entry[Held], at: int) -> AbstractContextManager[SeriesAsKnown]:
        return series_then(self._link, entry.place.id, at)

    def _known_of(self, entries: Sequence[Entry[Held]] | None, at: int) -> list[Series]:
        return records_then(self._link, None if entries is None else [one.place.id for one in entries], at)


def _candles(cursor: Any, entry: Entry[Held], low: int | None, high: int | None) -> Candles:
    time, values = postgres_rows.select(cursor, entry.place.id, low, high)
    series = entry.series
    return Candles.trusted(series.symbol, series.timeframe, find_calendar(series.calendar), time, values)


def _calendar(entry: Entry[Held] | None) -> str | None:
    return None if entry is None or not entry.series.rows else entry.series.calendar
