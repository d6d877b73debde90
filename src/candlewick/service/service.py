"""The service contract: two engines keep it, `candlewick.testing.service_contract` holds each to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar, Self

from candlewick.errors import CandlewickError
from candlewick.service.answer import Answer
from candlewick.service.request import Request
from candlewick.store.repository import Series

ENGINES = ("classic", "optimized")
"""V1 and V2, by the names that users see."""


class AnalyticsService(ABC):
    """Answers requests over one store. Every method may be called from several threads.

    Raises UnknownSeriesError for what is not stored, InputError for a request of no use, LimitError for more bars than
    the request's limit, StoreError when the store fails; nothing else.
    """

    engine: ClassVar[str]

    @abstractmethod
    def candles(self, request: Request) -> Answer:
        """Bars and indicators of one request."""

    @abstractmethod
    def candles_many(
        self, requests: Sequence[Request], *, deadline: float | None = None
    ) -> list[Answer | CandlewickError]:
        """The answers in the order asked; a request that fails has its error in its place and harms no other.

        ``deadline``: seconds for all of them; what is not done by then has a DeadlineError in its place.
        """

    @abstractmethod
    def symbols(self) -> list[Series]:
        """What is stored, by symbol, then from the finest timeframe to the coarsest."""

    def cached(self, request: Request) -> Answer | None:  # noqa: ARG002 - an engine without a cache never has one
        """The answer when it can be given at once, without computing or reading the store; else None."""
        return None

    def close(self) -> None:  # noqa: B027 - an engine that holds nothing has nothing to let go of
        """Let go of threads and memory. Closing twice is harmless. The store stays open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
