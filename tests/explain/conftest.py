"""Candles to explain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from candlewick.candles import Candles
from candlewick.timeframe import MINUTE

OPEN = 1_704_205_800_000_000
"""2024-01-02T14:30:00Z, the open of XNYS."""

Make = Callable[..., Candles]


@pytest.fixture(scope="session")
def minutes() -> Make:
    """A maker of minute candles from their closes: each opens at the close before it."""

    def make(closes, volume=None, *, calendar: str = "XNYS", start: int = OPEN, tick: float = 0.01) -> Candles:
        close = np.asarray(closes, dtype=np.float64)
        opened = np.concatenate([close[:1], close[:-1]])
        return Candles(
            symbol="ACME",
            timeframe="1m",
            calendar=calendar,
            time=start + np.arange(len(close)) * MINUTE,
            open=opened,
            high=np.maximum(opened, close) + tick,
            low=np.minimum(opened, close) - tick,
            close=close,
            volume=np.arange(1.0, len(close) + 1) if volume is None else volume,
        )

    return make


@pytest.fixture(scope="session")
def walk() -> np.ndarray:
    """700 closes that wander."""
    return np.round(100 + np.cumsum(np.random.default_rng(5).normal(0, 0.05, 700)), 2)
