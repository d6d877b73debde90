"""Catalogued: a store with a catalogue of its series at hand; what is answered from it, and what is asked of the rows.

A subclass says what its catalogue is now, and how candles are read: as they are, and as they were known at a moment.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol

from candlewick.candles import Candles
from candlewick.moments import Moment, moment
from candlewick.store.catalogue import Catalogue, Entry, Place
from candlewick.store.repository import CandleRepository, Series, Snapshot, bounds
from candlewick.store.revisions import Note, moment_known
from candlewick.timeframe import Timeframe


class SeriesThen(Protocol):
    """One series as known at a moment. Every method raises HistoryError, and UnknownSeriesError before it came."""

    def note(self) -> Note:
        """The last write at or before the moment."""

    def record(self) -> Series:
        """Its record; raises UnknownSeriesError also where it held no candle."""

    def candles(self, start: Moment | None, end: Moment | None) -> Candles:
        """A range of it."""

    def revision_before(self, end: int | None) -> int:
        """As `CandleRepository.revision_before` was then."""

    def first_changed(self, since: int) -> int | None:
        """As `CandleRepository.first_changed` was then."""


class CataloguedStore(CandleRepository, Generic[Place]):
    """Answers from its catalogue whatever is about now and about no candle."""

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        current = self._current()
        return current.series() if as_of is None else self._known_of(None, moment_known(as_of))

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        if as_of is None:
            return self._find(symbol, timeframe).series
        with self._then(symbol, timeframe, as_of) as then:
            return then.record()

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        current = self._current()
        if as_of is None:
            return [entry.series for entry in current.of(symbol)]
        return self._known_of(current.ever_of(symbol), moment_known(as_of))

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
            with self._then(symbol, timeframe, as_of) as then:
                return then.candles(start, end)
        entry = self._find(symbol, timeframe)
        return self._candles(entry, *bounds(entry.series.calendar, start, end))

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
            with self._then(symbol, timeframe, as_of) as then:
                return Snapshot(then.record(), then.candles(start, end))
        return self._snapshot(self._find(symbol, timeframe), start, end)

    def count(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> int:
        if as_of is not None or (start is None and end is None):
            return super().count(symbol, timeframe, start, end, as_of=as_of)
        entry = self._find(symbol, timeframe)
        return self._count(entry, *bounds(entry.series.calendar, start, end))

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        with self._then(symbol, timeframe, at, "at") as then:
            return then.note().revision

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        high = None if end is None else moment(end, "end")
        if as_of is not None:
            with self._then(symbol, timeframe, as_of) as then:
                return then.revision_before(high)
        entry = self._find(symbol, timeframe)
        return entry.history.revision_before(high, entry.series.revision)

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        if as_of is not None:
            with self._then(symbol, timeframe, as_of) as then:
                return then.first_changed(since)
        return self._find(symbol, timeframe).history.first_changed(since)

    @abstractmethod
    def _current(self) -> Catalogue[Place]:
        """What is known of the series now; raises StoreError when closed."""

    @abstractmethod
    def _candles(self, entry: Entry[Place], low: int | None, high: int | None) -> Candles:
        """The candles of a stored series in ``low <= time < high``."""

    @abstractmethod
    def _snapshot(self, entry: Entry[Place], start: Moment | None, end: Moment | None) -> Snapshot:
        """A range of a stored series and its record, which may have been written to since ``entry``."""

    @abstractmethod
    def _known(self, entry: Entry[Place], at: int) -> AbstractContextManager[SeriesThen]:
        """A series that was ever written as known at a moment; all that is asked inside is of one state of it."""

    @abstractmethod
    def _known_of(self, entries: Sequence[Entry[Place]] | None, at: int) -> list[Series]:
        """The records of those of these series, None: of all, that held a candle at a moment, in the usual order."""

    def _count(self, entry: Entry[Place], low: int | None, high: int | None) -> int:
        return len(self._candles(entry, low, high))

    def _find(self, symbol: str, timeframe: str | Timeframe) -> Entry[Place]:
        return self._current().find(symbol, Timeframe.parse(timeframe))

    def _ever(self, symbol: str, timeframe: str | Timeframe) -> Entry[Place]:
        return self._current().ever(symbol, Timeframe.parse(timeframe))

    def _then(
        self, symbol: str, timeframe: str | Timeframe, at: Moment, parameter: str = "as_of"
    ) -> AbstractContextManager[SeriesThen]:
        return self._known(self._ever(symbol, timeframe), moment_known(at, parameter))
