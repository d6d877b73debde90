"""Broken: an engine that fails when told to, so that a rollback has something to do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from candlewick.errors import CandlewickError, EngineError
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import Series


class Breakable(AnalyticsService):
    """Passes everything on to ``inner`` until ``broken`` is set; then each request is an EngineError."""

    engine = "optimized"

    def __init__(self, inner: AnalyticsService) -> None:
        self.inner = inner
        self.broken = threading.Event()
        self.failed = 0

    def candles(self, request: Request) -> Answer:
        self._fail()
        return self.inner.candles(request)

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        self._fail()
        return self.inner.candles_many(requests, deadline=deadline)

    def symbols(self) -> list[Series]:
        return self.inner.symbols()

    def cached(self, request: Request) -> Answer | None:
        return None if self.broken.is_set() else self.inner.cached(request)

    def close(self) -> None:
        self.inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)  # cache, reconfigure and what else the application asks of V2

    def _fail(self) -> None:
        if self.broken.is_set():
            self.failed += 1
            raise EngineError(self.engine, "Broken", "made to fail by candlewick validate")
