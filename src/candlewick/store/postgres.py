"""The store for a team: one PostgreSQL database, used by any number of processes at once.

Candles are unique by their key, writers of one series follow each other by the lock of its row, and what a process
knows of its series is a catalogue that is never older than a tenth of a second (`postgres_watch.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from candlewick.candles import Candles
from candlewick.clock import Clock
from candlewick.errors import StoreError
from candlewick.moments import Moment, moment
from candlewick.postgres_address import PostgresAddress
from candlewick.sessions.calendar import find_calendar
from candlewick.store import postgres_rows, postgres_schema, postgres_series
from candlewick.store.as_known import written
from candlewick.store.catalogue import Catalogue, Entry, Key
from candlewick.store.check import Problem, check
from candlewick.store.postgres_catalogue import PostgresCatalogue, Told
from candlewick.store.postgres_changes import PostgresWriter, purge, put, remove
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_quarantine import quarantined, refuse
from candlewick.store.postgres_series import Held
from candlewick.store.postgres_then import PostgresThen
from candlewick.store.postgres_watch import PostgresWatch
from candlewick.store.repository import (
    CandleRepository,
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


class PostgresStore(CandleRepository):
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
        self._then = PostgresThen(self._link, self._current)
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

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        if as_of is not None:
            with self._then.all(as_of) as then:
                return then.listed()
        return self._current().series()

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        if as_of is not None:
            with self._then.one(symbol, timeframe, as_of) as (then, number):
                return then.record(number)
        return self._find(symbol, timeframe).series

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        if as_of is not None:
            with self._then.some(self._current().ever_of(symbol), as_of) as (then, numbers):
                return then.listed(numbers)
        return [entry.series for entry in self._current().of(symbol)]

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        if as_of is not None:
            with self._then.one(symbol, timeframe, as_of) as (then, number):
                return then.candles(number, start, end)
        entry = self._find(symbol, timeframe)
        with self._link.borrow() as cursor:
            return _candles(cursor, entry.place.id, entry.series, start, end)

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        if as_of is not None:
            with self._then.one(symbol, timeframe, as_of) as (then, number):
                return then.snapshot(number, start, end)
        number = self._find(symbol, timeframe).place.id
        with self._link.reading() as cursor:
            (entry,), _ = postgres_series.entries(cursor, [number], self._catalogue.known)
            candles = _candles(cursor, number, entry.series, start, end)
        self._catalogue.publish([entry])
        if not entry.series.rows:
            raise unknown(self.series(), symbol, entry.series.timeframe)
        return Snapshot(entry.series, candles)

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        with self._then.one(symbol, timeframe, at, "at") as (then, number):
            return then.note(number).revision

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        number = self._current().ever(symbol, Timeframe.parse(timeframe)).place.id
        with self._link.reading() as cursor:
            return written(cursor, number, postgres_series.records(cursor, [number])[number][1])

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        high = None if end is None else moment(end, "end")
        if as_of is not None:
            with self._then.one(symbol, timeframe, as_of) as (then, number):
                return then.revision_before(number, high)
        entry = self._find(symbol, timeframe)
        return entry.history.revision_before(high, entry.series.revision)

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        if as_of is not None:
            with self._then.one(symbol, timeframe, as_of) as (then, number):
                return then.first_changed(number, since)
        return self._find(symbol, timeframe).history.first_changed(since)

    def count(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> int:
        if as_of is not None:
            return super().count(symbol, timeframe, start, end, as_of=as_of)
        entry = self._find(symbol, timeframe)
        if start is None and end is None:
            return entry.series.rows
        where = postgres_rows.within(entry.place.id, *bounds(entry.series.calendar, start, end))
        with self._link.borrow() as cursor:
            return int(cursor.execute(f"SELECT count(*) FROM candles WHERE {where}").fetchall()[0][0])

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
        with self._writer.changing(chosen) as change:
            for key in chosen:
                entry = change.held[key]
                low, high = bounds(entry.series.calendar, start, end)
                change.done.append(remove(change.cursor, entry, low, high, change.now, for_good=for_good))
        return sum(one.before.series.rows - one.after.series.rows for one in change.done)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        chosen = [entry.key for entry in self._current().chosen(symbol, length)]
        if not chosen:
            return 0
        with self._writer.changing(chosen) as change:
            purged = [purge(change.cursor, change.held[key], at) for key in chosen]
            change.done = [one for one, _ in purged]
        return sum(count for _, count in purged)

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

    def _find(self, symbol: str, timeframe: str | Timeframe) -> Entry[Held]:
        return self._current().find(symbol, Timeframe.parse(timeframe))


def _candles(cursor: Any, number: int, series: Series, start: Moment | None, end: Moment | None) -> Candles:
    time, values = postgres_rows.select(cursor, number, *bounds(series.calendar, start, end))
    return Candles.trusted(series.symbol, series.timeframe, find_calendar(series.calendar), time, values)


def _calendar(entry: Entry[Held] | None) -> str | None:
    return None if entry is None or not entry.series.rows else entry.series.calendar
