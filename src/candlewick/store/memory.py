"""A store in memory: for tests, notebooks and one-off questions. Gone with the process."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.errors import StoreError
from candlewick.moments import Moment, moment
from candlewick.store.catalogue import Catalogue, Entry, Key
from candlewick.store.change import Change, appended, compared
from candlewick.store.history import History, day_of
from candlewick.store.repository import (
    CandleRepository,
    QuarantinedRow,
    Series,
    Snapshot,
    Upserted,
    bounds,
    check_batch,
    unknown,
)
from candlewick.timeframe import Timeframe


class MemoryStore(CandleRepository):
    """Series kept as whole, frozen candles: a write makes new ones, so what was read before never changes."""

    def __init__(self) -> None:
        self.url = "memory:"
        self._lock = RLock()
        self._held: Catalogue[Candles] = Catalogue.empty()
        self._refused: dict[tuple[str, int], QuarantinedRow] = {}
        self._closed = False

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        with self._lock:
            held = self._catalogue
            check_batch(batch, held.calendar_of)
            done = []
            fresh: dict[Key, Entry[Candles]] = {}
            for candles in batch:
                entry = held.entries.get((candles.symbol, candles.timeframe))
                change = _change(entry, candles)
                done.append(change.upserted)
                if change.upserted.changed:
                    fresh[candles.symbol, candles.timeframe] = _written(entry, candles, change)
            self._held = held.changed(fresh)
            return done

    def series(self) -> list[Series]:
        return self._catalogue.series()

    def find(self, symbol: str, timeframe: str | Timeframe) -> Series:
        return self._find(symbol, timeframe).series

    def series_of(self, symbol: str) -> list[Series]:
        return [entry.series for entry in self._catalogue.of(symbol)]

    def read(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Candles:
        return self.snapshot(symbol, timeframe, start, end).candles

    def snapshot(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Snapshot:
        entry = self._find(symbol, timeframe)
        low, high = bounds(entry.place.calendar, start, end)
        return Snapshot(entry.series, entry.place.between(low, high))

    def revision_before(self, symbol: str, timeframe: str | Timeframe, end: int | None = None) -> int:
        entry = self._find(symbol, timeframe)
        return entry.history.revision_before(None if end is None else moment(end, "end"), entry.series.revision)

    def first_changed(self, symbol: str, timeframe: str | Timeframe, since: int) -> int | None:
        return self._find(symbol, timeframe).history.first_changed(since)

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> int:
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._lock:
            chosen = [one for one in self._catalogue.of(symbol) if length in (None, one.series.timeframe)]
            if not chosen:
                raise unknown(self.series(), symbol, length)
            spans = [bounds(one.series.calendar, start, end) for one in chosen]
            left = [_cut(one, *span) for one, span in zip(chosen, spans, strict=True)]
            self._held = self._held.changed({one.key: one for one in left})
            return sum(before.series.rows - after.series.rows for before, after in zip(chosen, left, strict=True))

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
            self._held = Catalogue.empty()
            self._refused.clear()

    @property
    def _catalogue(self) -> Catalogue[Candles]:
        self._check_open()
        return self._held

    def _find(self, symbol: str, timeframe: str | Timeframe) -> Entry[Candles]:
        return self._catalogue.find(symbol, Timeframe.parse(timeframe))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("store: memory: is closed")


def _change(entry: Entry[Candles] | None, candles: Candles) -> Change:
    if entry is None or not entry.series.rows:
        return appended(candles)
    stored = entry.place
    return compared(candles, stored.microseconds, {name: getattr(stored, name) for name in VALUES})


def _written(entry: Entry[Candles] | None, candles: Candles, change: Change) -> Entry[Candles]:
    if entry is None or not entry.series.rows:
        return _next(entry, candles, change.first_day(candles), rewritten=False)
    rewritten = change.rewrites(candles, entry.series.last)
    return _next(entry, _merged(entry.place, candles), change.first_day(candles), rewritten=rewritten)


def _cut(entry: Entry[Candles], low: int | None, high: int | None) -> Entry[Candles]:
    candles = entry.place
    time = candles.microseconds
    gone = (time >= (time[0] if low is None else low)) & (time < (time[-1] + 1 if high is None else high))
    if not gone.any():
        return entry
    kept = {name: getattr(candles, name)[~gone] for name in VALUES}
    left = Candles.trusted(candles.symbol, candles.timeframe, candles.calendar, time[~gone], kept)
    return _next(entry, left, day_of(time[gone][0]), rewritten=True)


def _next(entry: Entry[Candles] | None, candles: Candles, day: int, *, rewritten: bool) -> Entry[Candles]:
    """The entry after a write that left these candles and touched days from ``day`` on."""
    time = candles.microseconds
    rows = len(time)
    series = Series(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        calendar=candles.calendar.name,
        rows=rows,
        first=int(time[0]) if rows else 0,
        last=int(time[-1]) if rows else 0,
        revision=1 if entry is None else entry.series.revision + 1,
        generation=0 if entry is None else entry.series.generation + int(rewritten),
    )
    history = History() if entry is None else entry.history
    return Entry(series, history.written(day, series.revision), candles)


def _merged(old: Candles, new: Candles) -> Candles:
    """Both, sorted; where a time stands in both, the new candle."""
    if len(old) and len(new) and new.microseconds[0] > old.microseconds[-1]:  # the usual write: nothing to sort
        later = {name: np.concatenate([getattr(old, name), getattr(new, name)]) for name in VALUES}
        times = np.concatenate([old.microseconds, new.microseconds])
        return Candles.trusted(old.symbol, old.timeframe, old.calendar, times, later)
    kept = ~np.isin(old.microseconds, new.microseconds, assume_unique=True)
    time = np.concatenate([old.microseconds[kept], new.microseconds])
    order = np.argsort(time, kind="stable")
    values = {name: np.concatenate([getattr(old, name)[kept], getattr(new, name)])[order] for name in VALUES}
    return Candles.trusted(old.symbol, old.timeframe, old.calendar, time[order], values)
