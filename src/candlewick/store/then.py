"""Then: a store as it was known at a moment, for everything that reads a store. It is never written to."""

from __future__ import annotations

from candlewick.moments import Moment
from candlewick.store.read_only import ReadOnly
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Written, iso
from candlewick.store.revisions import moment_known
from candlewick.timeframe import Timeframe


def known_at(store: CandleRepository, as_of: Moment | None) -> CandleRepository:
    """The store as known at a moment; itself without one. Raises NaiveTimeError, InputError for what is no moment."""
    return store if as_of is None else Then(store, moment_known(as_of))


class Then(ReadOnly):
    """Answers every question about candles as of ``at`` (microseconds UTC) unless it names a moment of its own.

    A symbol of which nothing was stored yet, or not any more, is an UnknownSeriesError that says so. Split factors are
    those of now, whenever they were set. Writing is a StoreError; closing it leaves the store open.
    """

    def __init__(self, store: CandleRepository, at: int) -> None:
        super().__init__(store)
        self.at = at
        self.how = f"as of {iso(at)}"

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        when = self._moment(as_of)
        found = self._store.series_of(symbol, as_of=when)
        if not found:
            for one in self._store.series_of(symbol)[:1]:
                return [self._store.find(symbol, one.timeframe, as_of=when)]  # which says why there is none
        return found

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        return [one for one in self._store.writes(symbol, timeframe) if one.written_at <= self.at]

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return [row for row in self._store.quarantined(symbol) if row.at <= self.at]

    def _moment(self, as_of: Moment | None) -> Moment:
        return self.at if as_of is None else as_of
