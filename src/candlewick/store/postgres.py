"""The store for a team: one PostgreSQL database, used by any number of processes at once.

Candles are unique by their key, writers of one series follow each other by the lock of its row, and what a process
knows of its series is a catalogue that is never older than a tenth of a second (`postgres_watch.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from candlewick.candles import Candles
from candlewick.clock import Clock
from candlewick.errors import StoreError
from candlewick.moments import Moment, moment
from candlewick.postgres_address import PostgresAddress
from candlewick.sessions.calendar import find_calendar
from candlewick.store import postgres_rows, postgres_schema, postgres_series, split_table
from candlewick.store.as_known import AsKnown, purge, written
from candlewick.store.catalogue import Catalogue, Entry, Key
from candlewick.store.check import Problem, check
from candlewick.store.entry_after import after_removal, after_write
from candlewick.store.postgres_link import PostgresLink
from candlewick.store.postgres_quarantine import quarantined, refuse
from candlewick.store.postgres_rows import Counted, Put
from candlewick.store.postgres_series import Fresh, Held, Known
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

Told = Callable[[Sequence[str]], None]


class PostgresStore(CandleRepository):
    """Candles in a PostgreSQL database: ``postgresql://user@host/database?schema=candlewick``.

    Tables that are not there are made; older ones wait for ``candlewick store migrate``. ``connections``: of this
    process, beside one that listens. ``clock`` says when a write comes; by default it is the database's, which is one
    for all processes. While the database is away every call raises StoreUnavailableError, at once.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS, clock: Clock | None = None) -> None:
        self._address = PostgresAddress.parse(url)
        self.url = self._address.shown
        self._clock = clock
        self._closed = False
        self._publishing = Lock()
        self._catalogue: Catalogue[Held] = Catalogue.empty()
        self._known: dict[int, Entry[Held]] = {}
        self._seen = 0
        self._split_at = 0
        self._told: Told | None = None
        with self._address.connect() as connection, self._address.told():
            postgres_schema.migrate(connection, self._address, upgrade=False)
            found = connection.execute("SELECT 'series'::regclass::oid").fetchall()
            self._channel = f"candlewick_{found[0][0]}"
        self._link = PostgresLink(self._address, connections)
        try:
            self._watch = PostgresWatch(self._link, self._channel, self._look)
        except BaseException:
            self._link.close()
            raise

    @property
    def problem(self) -> str | None:
        """Why the database does not answer; None while it does."""
        return self._link.down

    @property
    def degraded(self) -> str | None:
        return "they do not arrive: changes by other processes are found by polling" if self._watch.silent else None

    def hear_others(self, told: Told | None) -> None:
        self._told = told

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        catalogue = self._current()
        check_batch(batch, catalogue.calendar_of)
        filled = {(one.symbol, one.timeframe): one for one in batch if len(one)}
        done: dict[Key, Upserted] = {}
        if filled:
            with self._link.writing() as cursor:
                new = [(key, one.calendar.name) for key, one in filled.items() if key not in catalogue.entries]
                if new:
                    postgres_series.make(cursor, new)
                held, now = self._locked(cursor, list(filled))
                check_batch(batch, lambda key: _calendar(held.get(key)))
                changed = self._put(cursor, [(held[key], one) for key, one in filled.items()], now, done)
                fresh = postgres_series.write(cursor, self._channel, changed) if changed else []
            self._publish(fresh)
        return [done.get((one.symbol, one.timeframe), Upserted()) for one in batch]

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        if as_of is not None:
            with self._as_known(as_of, None) as then:
                return then.listed()
        return self._current().series()

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        if as_of is not None:
            number = self._ever(symbol, timeframe)
            with self._as_known(as_of, number) as then:
                return then.record(number)
        return self._find(symbol, timeframe).series

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        if as_of is not None:
            numbers = [entry.place.id for entry in self._current().ever_of(symbol)]
            with self._as_known(as_of, *numbers) as then:
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
            number = self._ever(symbol, timeframe)
            with self._as_known(as_of, number) as then:
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
            number = self._ever(symbol, timeframe)
            with self._as_known(as_of, number) as then:
                return then.snapshot(number, start, end)
        number = self._find(symbol, timeframe).place.id
        with self._link.reading() as cursor:
            (entry,), _ = postgres_series.entries(cursor, [number], self._known)
            candles = _candles(cursor, number, entry.series, start, end)
        self._publish([entry])
        if not entry.series.rows:
            raise unknown(self.series(), symbol, entry.series.timeframe)
        return Snapshot(entry.series, candles)

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        number = self._ever(symbol, timeframe)
        with self._as_known(at, number, parameter="at") as then:
            return then.note(number).revision

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        number = self._ever(symbol, timeframe)
        with self._link.reading() as cursor:
            return written(cursor, number, postgres_series.records(cursor, [number])[number][1])

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        high = None if end is None else moment(end, "end")
        if as_of is not None:
            number = self._ever(symbol, timeframe)
            with self._as_known(as_of, number) as then:
                return then.revision_before(number, high)
        entry = self._find(symbol, timeframe)
        return entry.history.revision_before(high, entry.series.revision)

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        if as_of is not None:
            number = self._ever(symbol, timeframe)
            with self._as_known(as_of, number) as then:
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
        with self._link.writing() as cursor:
            held, now = self._locked(cursor, chosen)
            left = []
            for key in chosen:
                low, high = bounds(held[key].series.calendar, start, end)
                left.append(_remove(cursor, held[key], low, high, now, for_good=for_good))
            changed = [one for one in left if one.after is not one.before]
            fresh = postgres_series.write(cursor, self._channel, changed) if changed else []
        self._publish(fresh)
        return sum(one.before.series.rows - one.after.series.rows for one in left)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        chosen = [entry.key for entry in self._current().chosen(symbol, length)]
        if not chosen:
            return 0
        with self._link.writing() as cursor:
            held, _ = self._locked(cursor, chosen)
            done = [(held[key], *purge(cursor, held[key].place.id, at, held[key].trail)) for key in chosen]
            changed = [Fresh(one, replace(one, trail=trail), None) for one, trail, _ in done if trail is not one.trail]
            fresh = postgres_series.write(cursor, self._channel, changed) if changed else []
        self._publish(fresh)
        return sum(count for _, _, count in done)

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
        with self._link.writing() as cursor:
            # Those who change factors follow each other: what is read here is what holds at the count.
            cursor.execute("LOCK TABLE splits IN EXCLUSIVE MODE")
            now = cursor.execute(f"SELECT {postgres_series.NOW}").fetchall()[0][0]
            split_table.keep(cursor, "%s", symbol, time, factor, now if self._clock is None else self._clock.wall())
            splits = split_table.kept(cursor)
            count = postgres_series.count_splits(cursor, self._channel)
        self._publish_splits(count, splits)

    def compact(self) -> None:
        """Give the room of what was replaced or deleted back to the tables, and tell the planner what they hold.

        Nobody waits for it. Rows stay in the order in which they came: their index gives them in that of their time.
        """
        self._current()
        with self._link.borrow() as cursor:
            cursor.execute("VACUUM (ANALYZE) candles, revisions, series, history, writes, quarantine, splits")

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
        return self._catalogue

    def _find(self, symbol: str, timeframe: str | Timeframe) -> Entry[Held]:
        return self._current().find(symbol, Timeframe.parse(timeframe))

    def _ever(self, symbol: str, timeframe: str | Timeframe) -> int:
        return self._current().ever(symbol, Timeframe.parse(timeframe)).place.id

    @contextmanager
    def _as_known(self, at: Moment, *numbers: int | None, parameter: str = "as_of") -> Iterator[AsKnown]:
        """Without the writes that are under way just now, a moment that is over could still come to mean one more."""
        when = moment_known(at, parameter)
        self._current()
        ids = None if numbers == (None,) else [number for number in numbers if number is not None]
        if ids != []:
            with self._link.borrow() as cursor:
                postgres_series.settle(cursor, ids)
        with self._link.reading() as cursor:
            yield AsKnown(cursor, when, postgres_series.records, postgres_rows.select_known)

    def _locked(self, cursor: Any, keys: Sequence[Key]) -> tuple[dict[Key, Entry[Held]], int]:
        """The entries of series that this transaction holds, and the time at which it got them."""
        ids = postgres_series.lock(cursor, keys)
        found, now = postgres_series.entries(cursor, ids, self._known)
        return {entry.key: entry for entry in found}, now if self._clock is None else self._clock.wall()

    def _put(
        self, cursor: Any, writes: Sequence[tuple[Entry[Held], Candles]], now: int, done: dict[Key, Upserted]
    ) -> list[Fresh]:
        """Write candles of locked series; what that did goes into ``done``."""
        puts = [Put(entry.place.id, entry.series.revision + 1, one) for entry, one in writes]
        crossing = [put for put, (entry, _) in zip(puts, writes, strict=True) if _overlaps(entry.series, put.candles)]
        counts: dict[int, Counted] = {}
        if crossing:
            counts = postgres_rows.stage(cursor, crossing)
            replaced, added = (any(one[k] for one in counts.values()) for k in (1, 0))
            postgres_rows.take_over(cursor, crossing, replaced=replaced, added=added)
        appended = [put for put in puts if put.series not in counts]
        if appended:
            postgres_rows.copy_in(cursor, "candles", appended)
        changed = []
        for entry, candles in writes:
            first = int(candles.microseconds[0])
            counted = counts.get(entry.place.id) or Counted(len(candles), 0, first, first)
            unchanged = len(candles) - counted.inserted - counted.updated
            done[entry.key] = Upserted(counted.inserted, counted.updated, unchanged)
            if done[entry.key].changed:
                changed.append(Fresh(entry, *after_write(entry, candles, counted, now)))
        return changed

    def _look(self, cursor: Any) -> bool:
        """Bring the catalogue up to the database; whether another process had changed it."""
        count, split_at = postgres_series.counter(cursor)
        if count == self._seen:
            return False
        if split_at > self._split_at or count < self._seen:
            self._publish_splits(split_at, split_table.kept(cursor), again=count < self._seen)
        if count < self._seen:  # the database was put back to an earlier state: what was known is of no use
            found = postgres_series.changed_since(cursor, 0, {})
            with self._publishing:
                self._catalogue = Catalogue[Held]({}, {}, self._catalogue.splits).changed(
                    {one.key: one for one in found}
                )
                self._known = {one.place.id: one for one in found}
            changed = found
        else:
            changed = self._publish(postgres_series.changed_since(cursor, self._seen, self._known))
        self._seen = count
        told = self._told
        if changed and told is not None:
            told(sorted({entry.series.symbol for entry in changed}))
        return bool(changed)

    def _publish_splits(self, count: int, splits: Mapping[str, tuple[Split, ...]], *, again: bool = False) -> None:
        """Make factors known that are newer than those that are, or whatever they are (``again``)."""
        with self._publishing:
            if count > self._split_at or again:
                self._split_at = count
                self._catalogue = replace(self._catalogue, splits=splits)

    def _publish(self, fresh: Sequence[Entry[Held]]) -> list[Entry[Held]]:
        """Make entries known that are newer than those that are; which those were."""
        with self._publishing:
            newer = [one for one in fresh if one.place.changed > self._changed(one.place.id)]
            if newer:
                self._known = {**self._known, **{one.place.id: one for one in newer}}
                self._catalogue = self._catalogue.changed({one.key: one for one in newer})
        return newer

    def _changed(self, number: int) -> int:
        known: Known = self._known
        return known[number].place.changed if number in known else -1


def _candles(cursor: Any, number: int, series: Series, start: Moment | None, end: Moment | None) -> Candles:
    time, values = postgres_rows.select(cursor, number, *bounds(series.calendar, start, end))
    return Candles.trusted(series.symbol, series.timeframe, find_calendar(series.calendar), time, values)


def _remove(cursor: Any, entry: Entry[Held], low: int | None, high: int | None, now: int, *, for_good: bool) -> Fresh:
    """Delete a range of a locked series; every candle that is deleted passes here."""
    number, record = entry.place.id, entry.series
    where = postgres_rows.within(number, low, high)
    kept = "" if for_good else f", kept AS (INSERT INTO revisions SELECT *, {record.revision + 1} FROM gone)"
    gone, first = cursor.execute(
        f"WITH gone AS (DELETE FROM candles WHERE {where} RETURNING *){kept} SELECT count(*), min(time) FROM gone"
    ).fetchall()[0]
    after, note = entry, None
    if gone:
        query = "SELECT coalesce(min(time), 0), coalesce(max(time), 0) FROM candles WHERE series = %s"
        left = cursor.execute(query, [number]).fetchall()[0]
        after, note = after_removal(entry, gone, first, left, now, for_good=for_good)
    if for_good:
        versions = cursor.execute(f"DELETE FROM revisions WHERE {where}").rowcount
        if versions or note is not None:
            after = replace(after, trail=after.trail.after_retirement(after.series.revision, high))
    return Fresh(entry, after, note)


def _overlaps(record: Series, candles: Candles) -> bool:
    return bool(record.rows and candles.microseconds[0] <= record.last)


def _calendar(entry: Entry[Held] | None) -> str | None:
    return None if entry is None or not entry.series.rows else entry.series.calendar
