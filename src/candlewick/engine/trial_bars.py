"""Series that an indicator is tried on before it is believed: ordinary ones and hostile ones, the same every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from candlewick.bars import Bars
from candlewick.columnar import Floats
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import MINUTE, Timeframe

SESSION_BARS = 60
"""Bars in a trial session; five sessions are a week, twenty a month."""


def bars_from_closes(closes: Floats, seed: int = 1, tick: float = 0.01) -> Bars:
    """Bars around these closes, on minutes that follow each other, with anchors every SESSION_BARS bars."""
    random = np.random.default_rng(seed)
    n = len(closes)
    opens = np.concatenate([closes[:1], closes[:-1]])
    values = {
        "open": opens,
        "high": np.maximum(opens, closes) + tick * random.integers(1, 4, n),
        "low": np.minimum(opens, closes) - tick * random.integers(1, 4, n),
        "close": closes,
        "volume": random.integers(0, 500, n).astype(np.float64),
    }
    session = np.arange(n) // SESSION_BARS
    first = np.arange(n) % SESSION_BARS == 0
    anchor = first * (1 + 2 * (session % 5 == 0) + 4 * (session % 20 == 0))
    length = Timeframe.parse("1m")
    return Bars.made(
        "TRIAL",
        length,
        find_calendar("24/7"),
        np.arange(n, dtype=np.int64) * MINUTE,
        {name: np.ascontiguousarray(column, dtype=np.float64) for name, column in values.items()},
        n=np.ones(n, np.int32),
        final=np.ones(n, np.bool_),
        anchor=anchor.astype(np.uint8),
        source=length,
    )


def _walk(n: int, start: float, step: float, tick: float, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.normal(0.0, step, n))
    return np.asarray(np.round((start + steps) / tick) * tick)


def _bad_tick(n: int) -> Bars:
    closes = _walk(n, 100.0, 0.05, 0.01, 3)
    closes[n // 3] = 1e8
    return bars_from_closes(closes)


def _flat(n: int) -> Bars:
    closes = _walk(n, 100.0, 0.05, 0.01, 4)
    closes[n // 4 : n // 2] = closes[n // 4]
    closes[3 * n // 4 :] = 0.1
    return bars_from_closes(closes, tick=0.0)


TRIALS: dict[str, Callable[[int], Bars]] = {
    "ordinary": lambda n: bars_from_closes(_walk(n, 100.0, 0.05, 0.01, 1)),
    "price 1e5, tick 0.01": lambda n: bars_from_closes(_walk(n, 1e5, 0.02, 0.01, 2)),
    "one bad tick of 1e8": _bad_tick,
    "flat windows": _flat,
    "prices of 1e-8": lambda n: bars_from_closes(_walk(n, 4e-8, 2e-10, 1e-11, 5), tick=1e-11),
    "a spread about 0": lambda n: bars_from_closes(_walk(n, 0.0, 0.3, 0.01, 6)),
}
"""Name to a maker of ``n`` bars."""
