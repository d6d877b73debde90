"""ReadOnly: another view of a store, for everything that only reads one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from candlewick.candles import Candles
from candlewick.errors import StoreError
from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted, Written
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


class ReadOnly(CandleRepository):
    """Passes every question on to ``store``; a subclass says what it answers otherwise.

    Writing is a StoreError; closing it leaves the store open. ``how``: which view it is, in words.
    """

    how: str

    def __init__(self, store: CandleRepository) -> None:
        self.url = store.url
        self._store = store

    def series(self, *, as_of: Moment | None = None) -> list[Series]:
        return self._store.series(as_of=self._when(as_of))

    def find(self, symbol: str, timeframe: str | Timeframe, *, as_of: Moment | None = None) -> Series:
        return self._store.find(symbol, timeframe, as_of=self._when(as_of))

    def series_of(self, symbol: str, *, as_of: Moment | None = None) -> list[Series]:
        return self._store.series_of(symbol, as_of=self._when(as_of))

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
        return self._store.writes(symbol, timeframe)

    def revision_before(
        self, symbol: str, timeframe: str | Timeframe, end: int | None = None, *, as_of: Moment | None = None
    ) -> int:
        return self._store.revision_before(symbol, timeframe, end, as_of=self._when(as_of))

    def first_changed(
        self, symbol: str, timeframe: str | Timeframe, since: int, *, as_of: Moment | None = None
    ) -> int | None:
        return self._store.first_changed(symbol, timeframe, since, as_of=self._when(as_of))

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return self._store.quarantined(symbol)

    def splits(self) -> Mapping[str, tuple[Split, ...]]:
        return self._store.splits()

    def _keep_split(self, symbol: str, time: int, factor: float | None) -> None:  # noqa: ARG002
        self._refuse()

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

    def _when(self, as_of: Moment | None) -> Moment | None:
        """As of which moment a question is answered that names this one."""
        return as_of

    def _refuse(self) -> NoReturn:
        raise StoreError(f"store: {self.url} {self.how} cannot be written to")
