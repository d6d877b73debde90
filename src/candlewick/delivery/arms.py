"""Arms: what the callers of each arm met lately, within one step: never totals over both arms, or since the start."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from candlewick.delivery.outcome import Outcome
from candlewick.delivery.routing import CLASSIC, OPTIMIZED

WINDOW = 60.0
"""Seconds looked back."""
KEPT = 20_000
"""Requests kept for each arm; beyond 333 a second the time looked back is shorter, and the figures say how long."""


class Arms:
    """``add`` is quick and may be called from any thread; ``as_dict`` does the work."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Outcome]] = {arm: deque(maxlen=KEPT) for arm in (CLASSIC, OPTIMIZED)}

    def add(self, outcome: Outcome) -> None:
        """Take a request into account; one with an explicit engine belongs to no arm."""
        kept = self._kept.get(outcome.arm)
        if kept is not None:
            kept.append(outcome)

    def as_dict(self, step: int, now: float) -> dict[str, dict[str, Any]]:
        """For each arm: requests, failures of its own engine by kind before any fallback, fallbacks, refusals, requests
        lost in the end, and quantiles of the whole time, in seconds (None without a request). ``now``: monotonic."""
        return {arm: _summary(arm, _recent(kept, step, now), now) for arm, kept in self._kept.items()}


def _recent(kept: deque[Outcome], step: int, now: float) -> list[Outcome]:
    return [one for one in kept.copy() if one.step == step and now - one.at <= WINDOW]


def _summary(arm: str, found: list[Outcome], now: float) -> dict[str, Any]:
    own = [attempt for one in found for attempt in one.attempts if attempt.engine == arm]
    refused = sum(1 for attempt in own if attempt.refused)
    errors = Counter(attempt.error for attempt in own if attempt.error is not None and not attempt.refused)
    times = sorted(one.seconds for one in found)
    return {
        "requests": len(found),
        "errors": dict(sorted(errors.items())),
        "fallbacks": sum(1 for one in found if one.fallback),
        "refused": refused,
        "lost": sum(1 for one in found if one.error is not None) - refused,
        **{f"p{percent}": quantile(times, percent) for percent in (50, 95, 99)},
        "seconds": round(min(WINDOW, now - min((one.at for one in found), default=now)), 3),
    }


def quantile(ordered: list[float], percent: int) -> float | None:
    """The smallest value that at least ``percent`` of the values do not exceed; None of no values."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
