"""Again: whether a call that failed is made once more, and after how long."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from candlewick.errors import CandlewickError

PASSING = (429, 503, 504)
"""Answers that may be others a little later: too many requests, no room, not done in time."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
"""Seconds between two attempts, where the server does not ask for more."""


class PassingError(Exception):
    """A failure that may pass. ``error`` is what the caller meets when it does not; ``retry_after``: the seconds that
    the server asks for."""

    def __init__(self, error: CandlewickError, retry_after: float | None = None) -> None:
        self.error = error
        self.retry_after = retry_after
        super().__init__(str(error))


def retry_after(header: str | None) -> float | None:
    """The seconds that a ``Retry-After`` asks for; None for none. A date in it is not taken: clocks differ."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def pause(attempt: int, asked: float | None, chance: float) -> float:
    """Seconds before the next attempt after ``attempt`` (from 1), never less than the server asks for. ``chance`` (0 to
    1) spreads callers who failed together."""
    usual = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 20)) * (0.5 + chance / 2)
    return usual if asked is None else asked + usual * chance


def until(deadline: float, now: Callable[[], float]) -> Callable[[Exception], float | bool]:
    """What stamina asks after each failure: the pause, or False when the failure does not pass or the pause would go
    beyond ``deadline``."""
    attempts = 0

    def decide(error: Exception) -> float | bool:
        nonlocal attempts
        attempts += 1
        if not isinstance(error, PassingError):
            return False
        seconds = pause(attempts, error.retry_after, random.random())
        return seconds if now() + seconds < deadline else False

    return decide
