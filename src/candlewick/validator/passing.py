"""Passing: an engine that passes everything on to another one; what changes or breaks an engine begins from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from candlewick.errors import CandlewickError
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import Series


class Passing(AnalyticsService):
    """Every call goes to ``inner``, and what is asked beyond the contract (cache, reconfigure) too."""

    engine = "optimized"

    def __init__(self, inner: AnalyticsService) -> None:
        self.inner = inner

    def candles(self, request: Request) -> Answer:
        return self.inner.candles(request)

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        return self.inner.candles_many(requests, deadline=deadline)

    def symbols(self) -> list[Series]:
        return self.inner.symbols()

    def cached(self, request: Request) -> Answer | None:
        return self.inner.cached(request)

    def close(self) -> None:
        self.inner.close()

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # not set yet: asking on would never end
            raise AttributeError(name)
        return getattr(self.inner, name)
