"""Clock: the one source of time for everything that decides by it; injected, so that tests set it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings: ``wall`` for people and data (microseconds since 1970, UTC), ``monotonic`` for durations."""

    def wall(self) -> int:
        """Microseconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Seconds from some start; never goes back."""


class SystemClock:
    """The machine's own clock."""

    def wall(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()
