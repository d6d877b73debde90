"""The embedded store: one DuckDB file, owned by one process.

No index: rows are unique because every write compares with what is stored, inside its transaction. Rows stand in the
order in which they came; `compact` puts them into the order in which they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from candlewick.candles import Candles
from candlewick.clock import Clock, SystemClock
from candlewick.errors import FileFormatError, StoreError
from candlewick.moments import Moment
from candlewick.sessions.calendar import find_calendar
from candlewick.store import as_known, candle_table, series_table, split_table
from candlewick.store.as_known import AsKnown, SeriesAsKnown
from candlewick.store.candle_table import ORDERS, in_order, select, where_clause
from candlewick.store.catalogue import Catalogue, Entry
from candlewick.store.catalogued import CataloguedStore
from candlewick.store.check import Problem, check
from candlewick.store.database import Database, Resources
from candlewick.store.duckdb_changes import purge, put, remove, writes
from candlewick.store.duckdb_quarantine import quarantined, refuse
from candlewick.store.fresh import Fresh
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
from candlewick.store.stats import Stats, duckdb_stats
from candlewick.timeframe import Timeframe


class DuckDBStore(CataloguedStore[int]):
    """Candles in a DuckDB file. Two opens of one path in a process share it; another process is refused.

    ``memory_limit`` (512MB) bounds what DuckDB takes, ``threads`` defaults to the number of CPUs, at most 4. ``clock``
    says when a write comes.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        memory_limit: str = "512MB",
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._database = Database.hold(Path(path), Resources(memory_limit, threads))
        self.url = f"duckdb:///{self._database.path}"
        self._closed = False
        with self._database.lock:
            if self._database.state is None:
                try:
                    self._database.state = self._load()
                except StoreError as error:
                    self._database.release()
                    path = str(self._database.path)
                    raise FileFormatError("store", path, str(error.__cause__ or error), "is damaged") from error

    @property
    def staging(self) -> Path | None:
        path = self._database.path
        return path.with_name(f"{path.name}.staging")

    def announce(self, address: str | None) -> None:
        self._held().announce(address)

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        with self._held().lock:
            check_batch(batch, self._catalogue.calendar_of)
            with self._database.transaction() as cursor:
                found = writes(cursor, self._catalogue.entries, batch, self._clock.wall())
                changing = [one for one in found if one.change.upserted.changed]
                put(cursor, changing)
                self._record(cursor, [one.fresh for one in changing])
            return [one.change.upserted for one in found]

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        number = self._ever(symbol, timeframe).place
        with self._database.reading() as cursor:
            return as_known.written(cursor, number, series_table.records(cursor, [number])[number][1])

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
        with self._held().lock:
            chosen = self._catalogue.to_delete(symbol, length, for_good=for_good)
            now = self._clock.wall()
            with self._database.transaction() as cursor:
                left = [
                    remove(cursor, one, *bounds(one.series.calendar, start, end), now, for_good=for_good)
                    for one in chosen
                ]
                self._record(cursor, left)
            return sum(one.before.series.rows - one.after.series.rows for one in left)

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._held().lock:
            chosen = self._catalogue.chosen(symbol, length)
            with self._database.transaction() as cursor:
                purged = [purge(cursor, one, at) for one in chosen]
                self._record(cursor, [one for one, _ in purged])
            return sum(count for _, count in purged)

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        database = self._held()
        if not rows:
            return 0
        with database.transaction() as cursor:
            return refuse(cursor, rows)

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        with self._held().cursor() as cursor:
            return quarantined(cursor, symbol)

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        self._held()
        return self._catalogue.splits

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        with self._held().lock, self._database.transaction() as cursor:
            split_table.keep(cursor, "?", symbol, time, factor, self._clock.wall())
            self._database.upcoming = self._catalogue.with_split(symbol, time, factor)

    def compact(self) -> None:
        with self._held().lock:
            with self._database.transaction() as cursor:
                if not all(in_order(cursor, table) for table in ORDERS):
                    raise StoreError(f"store: {self.url}: compacting would have changed rows; nothing was changed")
            self._database.checkpoint()

    def stats(self) -> Stats:
        with self.tables() as cursor:
            return duckdb_stats(cursor, self.url, self._database.path)

    def check(self) -> list[Problem]:
        with self.tables() as cursor:
            return check(cursor)

    @contextmanager
    def tables(self, *, writing: bool = False) -> Iterator[Any]:
        database = self._held()
        if not writing:
            with database.reading() as cursor:
                yield cursor
            return
        with database.transaction() as cursor:
            yield cursor
            database.upcoming = _catalogue(cursor)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._database.release()

    @property
    def _catalogue(self) -> Catalogue[int]:
        """What the file says of its series: read once, since nobody else can write it. The place is a series' id."""
        catalogue: Catalogue[int] = self._database.state
        return catalogue

    def _held(self) -> Database:
        if self._closed:
            raise StoreError(f"store: {self.url} is closed")
        return self._database

    def _load(self) -> Catalogue[int]:
        with self._database.cursor() as cursor:
            return _catalogue(cursor)

    def _current(self) -> Catalogue[int]:
        self._held()
        return self._catalogue

    def _candles(self, entry: Entry[int], low: int | None, high: int | None) -> Candles:
        with self._database.cursor() as cursor:
            return _candles(cursor, entry.place, entry.series, low, high)

    def _count(self, entry: Entry[int], low: int | None, high: int | None) -> int:
        where, given = where_clause(entry.place, low, high)
        with self._database.cursor() as cursor:
            return int(cursor.execute(f"SELECT count(*) FROM candles WHERE {where}", given).fetchall()[0][0])

    def _snapshot(self, entry: Entry[int], start: Moment | None, end: Moment | None) -> Snapshot:
        with self._database.reading() as cursor:
            found = series_table.record(cursor, entry.place)
            candles = _candles(cursor, entry.place, found, *bounds(found.calendar, start, end))
        if found.revision != entry.series.revision:
            with self._database.publishing:  # the write that was seen is in the catalogue after this
                pass
        if not found.rows:
            raise unknown(self.series(), found.symbol, found.timeframe)
        return Snapshot(found, candles)

    @contextmanager
    def _known(self, entry: Entry[int], at: int) -> Iterator[SeriesAsKnown]:
        with self._held().reading() as cursor:
            yield SeriesAsKnown(cursor, at, series_table.records, candle_table.select_known, entry.place)

    def _known_of(self, entries: Sequence[Entry[int]] | None, at: int) -> list[Series]:
        with self._held().reading() as cursor:
            then = AsKnown(cursor, at, series_table.records)
            return then.listed(None if entries is None else [one.place for one in entries])

    def _record(self, cursor: Any, done: Sequence[Fresh]) -> None:
        """Write the records and the newest stairs of changed series; the catalogue has them from the commit on."""
        changed = [one for one in done if one.after is not one.before]
        if changed:
            series_table.write(cursor, changed)
            self._database.upcoming = self._catalogue.changed({one.after.key: one.after for one in changed})


def _catalogue(cursor: Any) -> Catalogue[int]:
    """What the tables say, as the transaction sees them."""
    stored = {entry.key: entry for entry in series_table.entries(cursor)}
    return Catalogue[int]({}, {}, split_table.kept(cursor)).changed(stored)


def _candles(cursor: Any, number: int, series: Series, low: int | None, high: int | None) -> Candles:
    time, values = select(cursor, number, low, high)
    return Candles.trusted(series.symbol, series.timeframe, find_calendar(series.calendar), time, values)
