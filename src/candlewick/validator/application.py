"""Application: what the checks need of the whole that is handed to them, in the form that `candlewick.app` has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.service.service import AnalyticsService


class Engines(Protocol):
    """Both engines over one store."""

    @property
    def classic(self) -> AnalyticsService:
        """V1."""

    @property
    def optimized(self) -> AnalyticsService:
        """V2."""

    def close(self) -> None:
        """Let go of engines and store."""


class Application(Engines, Protocol):
    """Both engines behind flags, routing, fallback and guards."""

    def candles(self, request: Request, engine: str = "auto", client: str | None = None) -> Served:
        """The answer of the engine that the rollout chooses, or of the one asked for."""

    def set_flag(self, name: str, value: Any, who: str, why: str = "") -> Any:
        """Change a flag at run time."""

    def flags(self) -> Sequence[Any]:
        """Every flag with its value."""

    def rollout_status(self) -> Mapping[str, Any]:
        """``percentage killed since arms guards``."""
