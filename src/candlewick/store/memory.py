"""A store in memory: for tests, notebooks and one-off questions. Gone with the process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from threading import RLock

from candlewick.candles import Candles
from candlewick.clock import Clock, SystemClock
from candlewick.errors import StoreError, UnknownSeriesError
from candlewick.moments import Moment, moment
from candlewick.store.catalogue import Catalogue, Key
from candlewick.store.held_series import (
    HeldEntry,
    HeldSeries,
    change_of,
    cut,
    note_at,
    purged,
    read_at,
    record_at,
    written,
)
from candlewick.store.history import DAY, day_of
from candlewick.store.repository import (
    CandleRepository,
    QuarantinedRow,
    Series,
    Snapshot,
    Upserted,
    Written,
    bounds,
    check_batch,
)
from candlewick.store.revisions import moment_known
from candlewick.store.splits import Split
from candlewick.store.stats import Stats
from candlewick.timeframe import Timeframe


class MemoryStore(CandleRepository):
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
            held = self._catalogue
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

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        held = self._catalogue
        if as_of is None:
            return held.series()
        return _records_at((held.entries[key] for key in sorted(held.entries)), moment_known(as_of))

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        if as_of is None:
            return self._find(symbol, timeframe).series
        entry, at = self._ever(symbol, timeframe), moment_known(as_of)
        return record_at(entry, at, note_at(entry, at))

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        held = self._catalogue
        if as_of is None:
            return [entry.series for entry in held.of(symbol)]
        return _records_at(held.ever_of(symbol), moment_known(as_of))

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        if as_of is None:
            return self.snapshot(symbol, timeframe, start, end).candles
        entry, at = self._ever(symbol, timeframe), moment_known(as_of)
        return read_at(entry, at, note_at(entry, at), start, end)

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
            entry, at = self._ever(symbol, timeframe), moment_known(as_of)
            note = note_at(entry, at)
            return Snapshot(record_at(entry, at, note), read_at(entry, at, note, start, end))
        entry = self._find(symbol, timeframe)
        low, high = bounds(entry.place.candles.calendar, start, end)
        return Snapshot(entry.series, entry.place.candles.between(low, high))

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        return note_at(self._ever(symbol, timeframe), moment_known(at, "at")).revision

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        entry = self._ever(symbol, timeframe)
        return [note.written for note in entry.place.notes if note.revision >= entry.trail.purged.revision]

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        high = None if end is None else moment(end, "end")
        if as_of is None:
            entry = self._find(symbol, timeframe)
            return entry.history.revision_before(high, entry.series.revision)
        entry = self._ever(symbol, timeframe)
        last = note_at(entry, moment_known(as_of)).revision
        if high is None:
            return last
        notes = (note for note in entry.place.notes if note.revision <= last and note.day <= day_of(high - 1))
        return max((note.revision for note in notes), default=0)

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        if as_of is None:
            return self._find(symbol, timeframe).history.first_changed(since)
        entry = self._ever(symbol, timeframe)
        last = note_at(entry, moment_known(as_of)).revision
        days = [note.day for note in entry.place.notes if since < note.revision <= last]
        return min(days) * DAY if days else None

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
            chosen = self._catalogue.to_delete(symbol, length, for_good=for_good)
            spans = [bounds(one.series.calendar, start, end) for one in chosen]
            now = self._clock.wall()
            left = [cut(one, *span, now, for_good=for_good) for one, span in zip(chosen, spans, strict=True)]
            self._held = self._held.changed({one.key: one for one in left})
            return sum(before.series.rows - after.series.rows for before, after in zip(chosen, left, strict=True))

    def purge(self, before: Moment, symbol: str | None = None, timeframe: str | Timeframe | None = None) -> int:
        at = moment_known(before, "before")
        length = None if timeframe is None else Timeframe.parse(timeframe)
        with self._lock:
            done = [purged(one, at) for one in self._catalogue.chosen(symbol, length)]
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
        return self._catalogue.splits

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:
        with self._lock:
            self._held = self._catalogue.with_split(symbol, time, factor)

    def compact(self) -> None:
        self._check_open()

    def stats(self) -> Stats:
        with self._lock:
            places = [entry.place for entry in self._catalogue.entries.values()]
            gone = sum(len(one.time) for place in places for one in place.gone)
            notes = sum(len(place.notes) for place in places)
            return replace(super().stats(), revisions=gone, writes=notes)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._held = Catalogue.empty()
            self._refused.clear()

    @property
    def _catalogue(self) -> Catalogue[HeldSeries]:
        self._check_open()
        return self._held

    def _find(self, symbol: str, timeframe: str | Timeframe) -> HeldEntry:
        return self._catalogue.find(symbol, Timeframe.parse(timeframe))

    def _ever(self, symbol: str, timeframe: str | Timeframe) -> HeldEntry:
        return self._catalogue.ever(symbol, Timeframe.parse(timeframe))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("store: memory: is closed")


def _records_at(entries: Iterable[HeldEntry], at: int) -> list[Series]:
    """The records of those that held a candle at a moment."""
    found = []
    for entry in entries:
        try:
            found.append(record_at(entry, at, note_at(entry, at)))
        except UnknownSeriesError:
            continue
    return found
