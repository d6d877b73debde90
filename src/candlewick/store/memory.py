"""A store in memory: for tests, notebooks and one-off questions. Gone with the process."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.errors import StoreError
from candlewick.moments import Moment
from candlewick.store.change import Change, appended, compared
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


class MemoryStore(CandleRepository):
    """Series kept as whole, frozen candles: a write makes new ones, so what was read before never changes."""

    def __init__(self) -> None:
        self.url = "memory:"
        self._lock = RLock()
        self._candles: dict[Key, Candles] = {}
        self._records: dict[Key, Series] = {}
        self._refused: dict[tuple[str, int], QuarantinedRow] = {}
        self._closed = False

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        with self._lock:
            self._check_open()
            check_batch(batch, {key: one.calendar for key, one in self._records.items() if one.rows})
            done = []
            fresh: dict[Key, tuple[Candles, Series]] = {}
            for candles in batch:
                change = self._change(candles)
                done.append(change.upserted)
                if change.upserted.changed:
                    fresh[candles.symbol, candles.timeframe] = self._written(candles, change)
            for key, (merged, record) in fresh.items():
                self._candles[key], self._records[key] = merged, record
            return done

    def series(self) -> list[Series]:
        with self._lock:
            self._check_open()
            stored = [one for one in self._records.values() if one.rows]
        return sorted(stored, key=lambda one: (one.symbol, one.timeframe))

    def find(self, symbol: str, timeframe: str | Timeframe) -> Series:
        length = Timeframe.parse(timeframe)
        with self._lock:
            self._check_open()
            found = self._records.get((symbol, length))
        if found is None or not found.rows:
            raise unknown(self.series(), symbol, length)
        return found

    def read(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Candles:
        with self._lock:
            found = self.find(symbol, timeframe)
            candles = self._candles[found.symbol, found.timeframe]
        low, high = bounds(candles.calendar, start, end)
        return candles.between(low, high)

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> int:
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._lock:
            chosen = [one for one in self.series() if one.symbol == symbol and length in (None, one.timeframe)]
            if not chosen:
                raise unknown(self.series(), symbol, length)
            spans = [bounds(one.calendar, start, end) for one in chosen]
            return sum(self._cut(one, *span) for one, span in zip(chosen, spans, strict=True))

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        with self._lock:
            self._check_open()
            before = len(self._refused)
            for row in rows:
                self._refused.setdefault((row.content, row.line), row)
            return len(self._refused) - before

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        with self._lock:
            self._check_open()
            rows = [row for row in self._refused.values() if symbol in (None, row.symbol)]
        return sorted(rows, key=lambda row: (row.file, row.content, row.line))

    def compact(self) -> None:
        self._check_open()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._candles.clear()
            self._records.clear()
            self._refused.clear()

    def _change(self, candles: Candles) -> Change:
        stored = self._candles.get((candles.symbol, candles.timeframe))
        if stored is None:
            return appended(candles)
        return compared(candles, stored.microseconds, {name: getattr(stored, name) for name in VALUES})

    def _written(self, candles: Candles, change: Change) -> tuple[Candles, Series]:
        key = (candles.symbol, candles.timeframe)
        old = self._candles.get(key)
        last = self._records[key].last if old is not None else np.iinfo(np.int64).min
        merged = candles if old is None else _merged(old, candles)
        return merged, self._next(key, merged, rewritten=change.rewrites(candles, last))

    def _next(self, key: Key, candles: Candles, *, rewritten: bool) -> Series:
        known = self._records.get(key)
        time = candles.microseconds
        rows = len(time)
        return Series(
            symbol=key[0],
            timeframe=key[1],
            calendar=candles.calendar.name,
            rows=rows,
            first=int(time[0]) if rows else 0,
            last=int(time[-1]) if rows else 0,
            revision=1 if known is None else known.revision + 1,
            generation=int(rewritten) if known is None else known.generation + int(rewritten),
        )

    def _cut(self, one: Series, low: int | None, high: int | None) -> int:
        key = (one.symbol, one.timeframe)
        candles = self._candles[key]
        time = candles.microseconds
        gone = (time >= (time[0] if low is None else low)) & (time < (time[-1] + 1 if high is None else high))
        count = int(np.count_nonzero(gone))
        if count:
            kept = {name: getattr(candles, name)[~gone] for name in VALUES}
            left = Candles.trusted(*key, candles.calendar, time[~gone], kept)
            self._records[key] = self._next(key, left, rewritten=True)
            if len(left):
                self._candles[key] = left
            else:
                del self._candles[key]
        return count

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("store: memory: is closed")


def _merged(old: Candles, new: Candles) -> Candles:
    """Both, sorted; where a time stands in both, the new candle."""
    kept = ~np.isin(old.microseconds, new.microseconds, assume_unique=True)
    time = np.concatenate([old.microseconds[kept], new.microseconds])
    order = np.argsort(time, kind="stable")
    values = {name: np.concatenate([getattr(old, name)[kept], getattr(new, name)])[order] for name in VALUES}
    return Candles.trusted(old.symbol, old.timeframe, old.calendar, time[order], values)
