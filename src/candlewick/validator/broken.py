"""Broken: an engine that fails when told to, so that a rollback has something to do."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from candlewick.errors import CandlewickError, EngineError
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.service.service import AnalyticsService
from candlewick.validator.passing import Passing


class Breakable(Passing):
    """Passes everything on until ``broken`` is set; then each request is an EngineError. ``failed`` counts those."""

    def __init__(self, inner: AnalyticsService) -> None:
        super().__init__(inner)
        self.broken = threading.Event()
        self.failed = 0

    def candles(self, request: Request) -> Answer:
        self._fail()
        return super().candles(request)

    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        self._fail()
        return super().candles_many(requests, deadline=deadline)

    def cached(self, request: Request) -> Answer | None:
        return None if self.broken.is_set() else super().cached(request)

    def _fail(self) -> None:
        if self.broken.is_set():
            self.failed += 1
            raise EngineError(self.engine, "Broken", "made to fail by candlewick validate")
