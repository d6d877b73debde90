"""Source: what following a series needs of the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe


class Source(Protocol):
    """The part of `candlewick.server.application.Application` that bars are followed through."""

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        """Bars and indicators, by the rules of the rollout."""

    def series_of(self, symbol: str) -> list[Series]:
        """The stored series of a symbol, finest first."""

    def first_changed(self, symbol: str, timeframe: Timeframe, since: int) -> int | None:
        """Start of the earliest UTC day that a write after revision ``since`` touched."""

    def complete_until(self) -> int | None:
        """Up to when bars are final now; None: up to the newest stored candle's close."""

    def listen(self, called: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        """Have ``called`` told of each committed write; returns how to stop that."""
