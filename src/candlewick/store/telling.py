"""Telling: a store that says, after each committed write, of which symbols the candles changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from candlewick.candles import Candles
from candlewick.moments import Moment
from candlewick.store.repository import CandleRepository, QuarantinedRow, Series, Snapshot, Upserted
from candlewick.timeframe import Timeframe


class TellingRepository(CandleRepository):
    """Passes every call on to ``store``; ``told`` gets the symbols that a write changed, in the writer's thread, once
    the write is committed. A write that changes nothing is not told. ``told`` must be quick and must not raise."""

    def __init__(self, store: CandleRepository, told: Callable[[Sequence[str]], None]) -> None:
        self.url = store.url
        self._store = store
        self._told = told

    def upsert_many(self, batch: Sequence[Candles]) -> list[Upserted]:
        done = self._store.upsert_many(batch)
        changed = [candles.symbol for candles, one in zip(batch, done, strict=True) if one.changed]
        if changed:
            self._told(list(dict.fromkeys(changed)))
        return done

    def delete(
        self,
        symbol: str,
        timeframe: str | Timeframe | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> int:
        gone = self._store.delete(symbol, timeframe, start, end)
        if gone:
            self._told([symbol])
        return gone

    def series(self) -> list[Series]:
        return self._store.series()

    def find(self, symbol: str, timeframe: str | Timeframe) -> Series:
        return self._store.find(symbol, timeframe)

    def series_of(self, symbol: str) -> list[Series]:
        return self._store.series_of(symbol)

    def read(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Candles:
        return self._store.read(symbol, timeframe, start, end)

    def snapshot(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> Snapshot:
        return self._store.snapshot(symbol, timeframe, start, end)

    def count(
        self, symbol: str, timeframe: str | Timeframe, start: Moment | None = None, end: Moment | None = None
    ) -> int:
        return self._store.count(symbol, timeframe, start, end)

    def revision_before(self, symbol: str, timeframe: str | Timeframe, end: int | None = None) -> int:
        return self._store.revision_before(symbol, timeframe, end)

    def first_changed(self, symbol: str, timeframe: str | Timeframe, since: int) -> int | None:
        return self._store.first_changed(symbol, timeframe, since)

    def quarantine(self, rows: Sequence[QuarantinedRow]) -> int:
        return self._store.quarantine(rows)

    def quarantined(self, symbol: str | None = None) -> list[QuarantinedRow]:
        return self._store.quarantined(symbol)

    def compact(self) -> None:
        self._store.compact()

    def close(self) -> None:
        self._store.close()

    @property
    def staging(self) -> Path | None:
        return self._store.staging

    def announce(self, address: str | None) -> None:
        self._store.announce(address)
