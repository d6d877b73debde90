"""Reading: the candles of a series as one record knows them, piece by piece, whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from candlewick.candles import Candles
from candlewick.store.repository import Series, Snapshot
from candlewick.timeframe import Timeframe

PIECE = 32_768
"""Candles read at a time, about: what they take is given back before the next ones are read."""


class Moved(Exception):
    """The past of the series changed while it was read."""


class Readable(Protocol):
    """What a view asks of a store: see `CandleRepository`."""

    def snapshot(
        self, symbol: str, timeframe: Timeframe, start: int | None = None, end: int | None = None, /
    ) -> Snapshot: ...

    def revision_before(self, symbol: str, timeframe: Timeframe, end: int | None = None, /) -> int: ...

    def first_changed(self, symbol: str, timeframe: Timeframe, since: int, /) -> int | None: ...


class Still:
    """One snapshot of a whole series in the place of its store: nothing moves here, and nothing is known of before."""

    def __init__(self, whole: Snapshot) -> None:
        self.series = whole.series
        self._candles = whole.candles

    def snapshot(
        self, _symbol: str, _timeframe: Timeframe, start: int | None = None, end: int | None = None, /
    ) -> Snapshot:
        """A part of it, sharing memory."""
        return Snapshot(self.series, self._candles.between(start, end))

    def revision_before(self, _symbol: str, _timeframe: Timeframe, _end: int | None = None, /) -> int:
        """The snapshot's own revision."""
        return self.series.revision

    def first_changed(self, _symbol: str, _timeframe: Timeframe, _since: int, /) -> int | None:
        """Nothing ever is."""
        return None


class Past(Still):
    """A snapshot of a store as known at a moment, which knows what the writes until then touched."""

    def __init__(self, whole: Snapshot, store: Readable) -> None:
        super().__init__(whole)
        self._store = store

    def revision_before(self, symbol: str, timeframe: Timeframe, end: int | None = None, /) -> int:
        """As the store says it."""
        return self._store.revision_before(symbol, timeframe, end)


def pieces(store: Readable, record: Series, start: int | None = None, end: int | None = None) -> Iterator[Candles]:
    """The candles of ``start <= time < end`` that the series held at ``record``, oldest first.

    Candles appended since are not among them. Raises Moved when older ones were changed since, so that what came
    before is of no use; UnknownSeriesError when the series is gone.
    """
    low = record.first if start is None else start
    stop = record.last + 1 if end is None else min(end, record.last + 1)
    step = max(1, (record.last - record.first + 1) * PIECE // record.rows)
    while low < stop:
        high = min(low + step, stop)
        found = store.snapshot(record.symbol, record.timeframe, low, high)
        if (found.series.generation, found.series.calendar) != (record.generation, record.calendar):
            raise Moved
        yield found.candles
        low = high
