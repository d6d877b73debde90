"""Reached store: a store as `gaps` needs one, through the server that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.sessions.calendar import find_calendar
from candlewick.store.repository import QuarantinedRow, Series, Upserted
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    from candlewick.client import Client

UNSEEN = "Through the server: rows in quarantine and candles off the grid are not looked at."


class ReachedStore:
    """What a server tells of its store. Candles come as bars of their own length: those outside of sessions are left
    out, and one that is off the grid stands where its bar begins. Quarantine is not told at all."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._calendars: dict[tuple[str, Timeframe], str] = {}

    def series(self) -> list[Series]:
        """Every stored series."""
        found = self._client.symbols()
        self._calendars = {(one.symbol, one.timeframe): one.calendar for one in found}
        return found

    def read(self, symbol: str, timeframe: Timeframe, start: int | None = None, end: int | None = None, /) -> Candles:
        """The bars of a range. Raises UnknownSeriesError, and what the server's problem documents tell of."""
        answer = self._client.candles(symbol, timeframe, start=start, end=end, source=timeframe, limit=10**12 - 1)
        calendar = self._calendars.get((symbol, timeframe)) or self._calendar(symbol, timeframe)
        values = {name: answer[name] for name in VALUES}
        time = answer.time.view(np.int64)
        return Candles.trusted(symbol, timeframe, find_calendar(calendar), time, values)

    def quarantined(self, _: str | None = None, /) -> list[QuarantinedRow]:
        """None: a server does not tell them."""
        return []

    def splits_of(self, symbol: str, /) -> tuple[Split, ...]:
        """The split factors of a symbol, oldest first."""
        return self._client.splits().get(symbol, ())

    def upsert(self, candles: Candles, /) -> Upserted:
        """Send candles."""
        done = self._client.ingest(candles)
        return Upserted(done.inserted, done.updated, done.unchanged)

    def _calendar(self, symbol: str, timeframe: Timeframe) -> str:
        self.series()
        return self._calendars[symbol, timeframe]
