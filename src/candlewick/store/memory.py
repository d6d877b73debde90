"""A store in memory: for tests, notebooks and one-off questions. Gone with the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from threading import RLock

from candlewick.candles import Candles
from candlewick.clock import Clock, SystemClock
from candlewick.errors import StoreError
from candlewick.moments import Moment
from candlewick.store.catalogue import Catalogue, Key
from candlewick.store.catalogued import CataloguedStore
from candlewick.store.held_series import HeldEntry, HeldSeries, change_of, cut, purged, written
from candlewick.store.held_then import HeldThen, records_then
from candlewick.store.repository import QuarantinedRow, Series, Snapshot, Upserted, Written, bounds, check_batch
from candlewick.store.revisions import moment_known
from candlewick.store.splits import Split
from candlewick.store.stats import Stats
from candlewick.timeframe import Timeframe


class MemoryStore(CataloguedStore[HeldSeries]):
    """Series kept as whole, frozen candles: a write makes new ones, so what was read before never changes.

    ``clock`` says when a write comes.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.url = "memory:"
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self._held: Catalogue[HeldSeries] = Catalogue.empty()
        self._refused: dict[tuple[str, int], QuarantinedRow] = {}
        self._closed = False

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        with self._lock:
            held = self._current()
            check_batch(batch, held.calendar_of)
            now = self._clock.wall()
            done = []
            fresh: dict[Key, HeldEntry] = {}
            for candles in batch:
                entry = held.entries.get((candles.symbol, candles.timeframe))
                change = change_of(entry, candles)
                done.append(change.upserted)
                if change.upserted.changed:
                    fresh[candles.symbol, candles.timeframe] = written(entry, candles, change, now)
            self._held = held.changed(fresh)
            return done

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        entry = self._ever(symbol, timeframe)
        return [note.written for note in entry.place.notes if note.revision >= entry.trail.purged.revision]

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
        with self._lock:
            chosen = self._current().to_delete(symbol, length, for_good=for_good)
            spans = [bounds(one.series.calendar, start, end) for one in chosen]
            now = self._clock.wall()
            left = [cut(one, *span, now, for_good=for_good) for one, span in zip(chosen, spans, strict=True)]
            self._held = self._held.changed({one.key: one for one in left})
            return sum(before.series.rows - after.series.rows for before, after in zip(chosen, left, strict=True))

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._lock:
            done = [purged(one, at) for one in self._current().chosen(symbol, length)]
            self._held = self._held.changed({one.key: one for one, _ in done})
            return sum(count for _, count in done)

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

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        return self._current().splits

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        with self._lock:
            self._held = self._current().with_split(symbol, time, factor)

    def compact(self) -> None:
        self._check_open()

    def stats(self) -> Stats:
        with self._lock:
            places = [entry.place for entry in self._current().entries.values()]
            gone = sum(len(one.time) for place in places for one in place.gone)
            notes = sum(len(place.notes) for place in places)
            return replace(super().stats(), revisions=gone, writes=notes)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._held = Catalogue.empty()
            self._refused.clear()

    def _current(self) -> Catalogue[HeldSeries]:
        self._check_open()
        return self._held

    def _candles(self, entry: HeldEntry, low: int | None, high: int | None) -> Candles:
        return entry.place.candles.between(low, high)

    def _snapshot(self, entry: HeldEntry, start: Moment | None, end: Moment | None) -> Snapshot:
        return Snapshot(entry.series, self._candles(entry, *bounds(entry.series.calendar, start, end)))

    def _known(self, entry: HeldEntry, at: int) -> AbstractContextManager[HeldThen]:
        return nullcontext(HeldThen(entry, at))

    def _known_of(self, entries: Sequence[HeldEntry] | None, at: int) -> list[Series]:
        held = self._current().entries
        return records_then((held[key] for key in sorted(held)) if entries is None else entries, at)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("store: memory: is closed")
