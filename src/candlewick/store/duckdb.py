"""The embedded store: one DuckDB file, owned by one process.

No index: rows are unique because every write compares with what is stored, inside its transaction. Rows stand in the
order in which they came; `compact` puts them into the order in which they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from candlewick.candles import VALUES, Candles
from candlewick.errors import FileFormatError, StoreError
from candlewick.moments import Moment
from candlewick.sessions.calendar import find_calendar
from candlewick.store.candle_table import Write, digest, overlapping, put, select, table_of, where_clause
from candlewick.store.change import Change, appended, compared
from candlewick.store.database import Database, Resources
from candlewick.store.repository import (
    CandleRepository,
    QuarantinedRow,
    Series,
    Upserted,
    bounds,
    check_batch,
    unknown,
)
from candlewick.timeframe import Timeframe

Key = tuple[str, Timeframe]
RECORD = ("id", "symbol", "timeframe", "calendar", "rows", "first", "last", "revision", "generation")
REFUSED = ("content", "line", "file", "symbol", "reason", "row", "refused_at")


class DuckDBStore(CandleRepository):
    """Candles in a DuckDB file. Two opens of one path in a process share it; another process is refused.

    ``memory_limit`` (512MB) bounds what DuckDB takes, ``threads`` defaults to the number of CPUs, at most 4.
    """

    def __init__(self, path: str | Path, *, memory_limit: str = "512MB", threads: int | None = None) -> None:
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
                    raise FileFormatError("store", path, str(error.__cause__), "is damaged") from error

    @property
    def staging(self) -> Path | None:
        path = self._database.path
        return path.with_name(f"{path.name}.staging")

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        with self._held().lock:
            records = self._records
            check_batch(batch, {key: one.calendar for key, (_, one) in records.items() if one.rows})
            with self._database.transaction() as cursor:
                writes = self._writes(cursor, batch)
                changing = [one for one in writes if one.change.upserted.changed]
                self._insert(cursor, changing)
                self._replace(cursor, changing)
                self._record(cursor, [(one.id, one.record) for one in changing])
            self._keep({(one.candles.symbol, one.candles.timeframe): (one.id, one.record) for one in changing})
            return [one.change.upserted for one in writes]

    def series(self) -> list[Series]:
        self._held()
        stored = [one for _, one in self._records.values() if one.rows]
        return sorted(stored, key=lambda one: (one.symbol, one.timeframe))

    def find(self, symbol: str, timeframe: str | Timeframe) -> Series:
        return self._find(symbol, Timeframe.parse(timeframe))[1]

    def read(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Candles:
        number, found = self._find(symbol, Timeframe.parse(timeframe))
        with self._database.cursor() as cursor:
            time, values = select(cursor, number, *bounds(found.calendar, start, end))
        return Candles.trusted(found.symbol, found.timeframe, find_calendar(found.calendar), time, values)

    def count(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> int:
        number, found = self._find(symbol, Timeframe.parse(timeframe))
        if start is None and end is None:
            return found.rows
        where, given = where_clause(number, *bounds(found.calendar, start, end))
        with self._database.cursor() as cursor:
            return int(cursor.execute(f"SELECT count(*) FROM candles WHERE {where}", given).fetchall()[0][0])

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> int:
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._held().lock:
            chosen = [one for one in self.series() if one.symbol == symbol and length in (None, one.timeframe)]
            if not chosen:
                raise unknown(self.series(), symbol, length)
            spans = [bounds(one.calendar, start, end) for one in chosen]
            fresh: dict[Key, tuple[int, Series]] = {}
            with self._database.transaction() as cursor:
                for one, span in zip(chosen, spans, strict=True):
                    number = self._records[one.symbol, one.timeframe][0]
                    left = self._remove(cursor, number, one, *span)
                    if left is not one:
                        fresh[one.symbol, one.timeframe] = (number, left)
                self._record(cursor, list(fresh.values()))
            gone = sum(self._records[key][1].rows - left.rows for key, (_, left) in fresh.items())
            self._keep(fresh)
            return gone

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        if not rows:
            self._held()
            return 0
        names = ", ".join(REFUSED)
        unique = {(row.content, row.line): row for row in reversed(rows)}
        columns = zip(*(astuple(row) for row in unique.values()), strict=True)
        table = table_of({name: list(column) for name, column in zip(REFUSED, columns, strict=True)})
        with self._held().transaction() as cursor:
            cursor.register("refused", table)
            found = cursor.execute(
                f"INSERT INTO quarantine SELECT {names} FROM refused ANTI JOIN quarantine USING (content, line)"
            ).fetchall()[0]
            return int(found[0])

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        where, given = ("", []) if symbol is None else ("WHERE symbol = ?", [symbol])
        with self._held().cursor() as cursor:
            query = f"SELECT {', '.join(REFUSED)} FROM quarantine {where} ORDER BY file, content, line"
            return [QuarantinedRow(*row) for row in cursor.execute(query, given).fetchall()]

    def compact(self) -> None:
        with self._held().lock:
            with self._database.transaction() as cursor:
                cursor.execute("CREATE TABLE compacted AS SELECT * FROM candles ORDER BY series, time")
                if digest(cursor, "candles") != digest(cursor, "compacted"):
                    raise StoreError(f"store: {self.url}: compacting would have changed rows; nothing was changed")
                cursor.execute("DROP TABLE candles")
                cursor.execute("ALTER TABLE compacted RENAME TO candles")
            with self._database.cursor() as cursor:
                cursor.execute("CHECKPOINT")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._database.release()

    @property
    def _records(self) -> dict[Key, tuple[int, Series]]:
        """The series table, as it is in the file: read once, since nobody else can write it."""
        records: dict[Key, tuple[int, Series]] = self._database.state
        return records

    def _keep(self, fresh: Mapping[Key, tuple[int, Series]]) -> None:
        """Put a new table in the place of the old one after a commit, so that readers never wait for a writer."""
        self._database.state = {**self._records, **fresh}

    def _held(self) -> Database:
        if self._closed:
            raise StoreError(f"store: {self.url} is closed")
        return self._database

    def _load(self) -> dict[Key, tuple[int, Series]]:
        with self._database.cursor() as cursor:
            rows = cursor.execute(f"SELECT {', '.join(RECORD)} FROM series").fetchall()
        return {
            (symbol, Timeframe.parse(length)): (number, Series(symbol, Timeframe.parse(length), *rest))
            for number, symbol, length, *rest in rows
        }

    def _find(self, symbol: str, timeframe: Timeframe) -> tuple[int, Series]:
        self._held()
        found = self._records.get((symbol, timeframe))
        if found is None or not found[1].rows:
            raise unknown(self.series(), symbol, timeframe)
        return found

    def _writes(self, cursor: Any, batch: Sequence[Candles]) -> list[Write]:
        following = max((number for number, _ in self._records.values()), default=-1) + 1
        known: list[tuple[int, Series, Candles]] = []
        for candles in batch:
            new = Series(candles.symbol, candles.timeframe, candles.calendar.name, 0, 0, 0, 0, 0)
            number, record = self._records.get((candles.symbol, candles.timeframe), (following, new))
            following += number == following
            known.append((number, record, candles))
        stored = overlapping(cursor, [one for one in known if _overlaps(one[1], one[2])])
        writes = []
        for number, record, candles in known:
            change = compared(candles, *stored[number]) if number in stored else appended(candles)
            writes.append(Write(number, _after(record, candles, change), candles, change))
        return writes

    def _insert(self, cursor: Any, writes: Sequence[Write]) -> None:
        put(cursor, "INSERT INTO candles SELECT * FROM incoming", [(one, one.change.new) for one in writes])

    def _replace(self, cursor: Any, writes: Sequence[Write]) -> None:
        """Every candle that takes the place of a different one passes here, as every deleted one does in `_remove`."""
        values = ", ".join(f"{name} = incoming.{name}" for name in VALUES)
        query = f"UPDATE candles SET {values} FROM incoming WHERE candles.series = incoming.series"
        put(cursor, f"{query} AND candles.time = incoming.time", [(one, one.change.different) for one in writes])

    def _remove(self, cursor: Any, number: int, record: Series, low: int | None, high: int | None) -> Series:
        where, given = where_clause(number, low, high)
        gone = int(cursor.execute(f"DELETE FROM candles WHERE {where}", given).fetchall()[0][0])
        if not gone:
            return record
        left = cursor.execute("SELECT min(time), max(time) FROM candles WHERE series = ?", [number]).fetchall()[0]
        return replace(
            record,
            rows=record.rows - gone,
            first=left[0] or 0,
            last=left[1] or 0,
            revision=record.revision + 1,
            generation=record.generation + 1,
        )

    def _record(self, cursor: Any, records: Sequence[tuple[int, Series]]) -> None:
        if not records:
            return
        rows = [(number, one.symbol, str(one.timeframe), *_figures(one)) for number, one in records]
        columns = zip(*rows, strict=True)
        cursor.register("records", table_of({name: list(column) for name, column in zip(RECORD, columns, strict=True)}))
        cursor.execute("DELETE FROM series WHERE id IN (SELECT id FROM records)")
        cursor.execute(f"INSERT INTO series SELECT {', '.join(RECORD)} FROM records")


def _figures(one: Series) -> tuple[Any, ...]:
    return one.calendar, one.rows, one.first, one.last, one.revision, one.generation


def _overlaps(record: Series, candles: Candles) -> bool:
    return bool(record.rows and len(candles) and candles.microseconds[0] <= record.last)


def _after(record: Series, candles: Candles, change: Change) -> Series:
    time = candles.microseconds
    if not change.upserted.changed:
        return record
    first, last = int(time[0]), int(time[-1])
    return Series(
        record.symbol,
        record.timeframe,
        candles.calendar.name,
        rows=record.rows + change.upserted.inserted,
        first=min(record.first, first) if record.rows else first,
        last=max(record.last, last) if record.rows else last,
        revision=record.revision + 1,
        generation=record.generation + int(record.rows > 0 and change.rewrites(candles, record.last)),
    )
