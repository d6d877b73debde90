"""Stored: what completeness needs of a store. Every `CandleRepository` is one, and so is a server that owns one."""

from __future__ import annotations

from typing import Protocol

from candlewick.candles import Candles
from candlewick.store.repository import QuarantinedRow, Series, Upserted
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


class Stored(Protocol):
    """Series of candles that can be listed, read and added to; `CandleRepository` says what each call promises."""

    def series(self) -> list[Series]:
        """Every stored series."""

    def read(self, symbol: str, timeframe: Timeframe, start: int | None = None, end: int | None = None, /) -> Candles:
        """The candles of a range, microseconds UTC. Raises UnknownSeriesError."""

    def quarantined(self, symbol: str | None = None, /) -> list[QuarantinedRow]:
        """The refused rows, of one symbol when given."""

    def splits_of(self, symbol: str, /) -> tuple[Split, ...]:
        """The split factors of a symbol, oldest first."""

    def upsert(self, candles: Candles, /) -> Upserted:
        """Write candles."""
