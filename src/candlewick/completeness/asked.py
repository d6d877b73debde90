"""Asked: what a scan is about."""

from __future__ import annotations

from dataclasses import dataclass

from candlewick.timeframe import Timeframe

MINUTES = Timeframe.parse("1m")


@dataclass(frozen=True)
class Asked:
    """What a scan is about: bounds in microseconds UTC, half-open; None is open. ``now``: what is due by then."""

    symbols: tuple[str, ...] = ()
    timeframe: Timeframe = MINUTES
    start: int | None = None
    end: int | None = None
    now: int = 0
