"""Then: a store as it was known at a moment, for everything that reads a store. It is never written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from candlewick.candles import Candles
from candlewick.errors import StoreError
from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted, Written, iso
from candlewick.store.revisions import moment_known
from candlewick.timeframe import Timeframe


def known_at(store: CandleRepository, as_of: Moment | None) -> CandleRepository:
    """The store as known at a moment; itself without one. Raises NaiveTimeError, InputError for what is no moment."""
    return store if as_of is None else Then(store, moment_known(as_of))


class Then(CandleRepository):
    """Answers every question about candles as of ``at`` (microseconds UTC) unless it names a moment of its own.

    A symbol of which nothing was stored yet, or not any more, is an UnknownSeriesError that says so. Writing is a
    StoreError; closing it leaves the store open.
    """

    def __init__(self, store: CandleRepository, at: int) -> None:
        self.url = store.url
        self.at = at
        self._store = store

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        return self._store.series(as_of=self._when(as_of))

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        return self._store.find(symbol, timeframe, as_of=self._when(as_of))

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        when = self._when(as_of)
        found = self._store.series_of(symbol, as_of=when)
        if not found:
            for one in self._store.series_of(symbol)[:1]:
                return [self._store.find(symbol, one.timeframe, as_of=when)]  # which says why there is none
        return found

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Candles:
        return self._store.read(symbol, timeframe, start, end, as_of=self._when(as_of))

    def snapshot(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
    ) -> Snapshot:
        return self._store.snapshot(symbol, timeframe, start, end, as_of=self._when(as_of))

    def revision_at(self, symbol: str, timeframe: str | Timeframe, at: Moment) -> int:
        return self._store.revision_at(symbol, timeframe, at)

    def writes(self, symbol: str, timeframe: str | Timeframe) -> list[Written]:
        return [one for one in self._store.writes(symbol, timeframe) if one.written_at <= self.at]

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        return self._store.revision_before(symbol, timeframe, end, as_of=self._when(as_of))

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        return self._store.first_changed(symbol, timeframe, since, as_of=self._when(as_of))

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return [row for row in self._store.quarantined(symbol) if row.at <= self.at]

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:  # noqa: ARG002
        self._refuse()

    def delete(
        self,
        symbol: str,  # noqa: ARG002
        timeframe: str | Timeframe | None = None,  # noqa: ARG002
        start: Moment | None = None,  # noqa: ARG002
        end: Moment | None = None,  # noqa: ARG002
        *,
        for_good: bool = False,  # noqa: ARG002
    ) -> int:
        self._refuse()

    def purge(
        self,
        before: Moment,  # noqa: ARG002
        symbol: str | None = None,  # noqa: ARG002
        timeframe: str | Timeframe | None = None,  # noqa: ARG002
    ) -> int:
        self._refuse()

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:  # noqa: ARG002
        self._refuse()

    def compact(self) -> None:
        self._refuse()

    def close(self) -> None:
        """Nothing is held."""

    def _when(self, as_of: Moment | None) -> Moment:
        return self.at if as_of is None else as_of

    def _refuse(self) -> NoReturn:
        raise StoreError(f"store: {self.url} as of {iso(self.at)} cannot be written to")
