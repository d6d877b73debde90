"""Series for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from candlewick import Candles
from candlewick.timeframe import MINUTE

OPEN = 1_704_205_800_000_000
"""2024-01-02T14:30:00Z, the open of XNYS."""


@pytest.fixture
def minutes() -> Callable[..., Candles]:
    """A maker of one-minute candles from an open of XNYS on (or round the clock)."""

    def make(
        count: int, *, calendar: str = "24/7", symbol: str = "ACME", seed: int = 1, start: int = OPEN, minute: int = 1
    ) -> Candles:
        random = np.random.default_rng(seed)
        close = np.round(100 + np.cumsum(random.normal(0, 0.05, count)), 2)
        opened = np.concatenate([close[:1], close[:-1]])
        return Candles(
            symbol=symbol,
            timeframe=f"{minute}m",
            calendar=calendar,
            time=start + np.arange(count) * MINUTE * minute,
            open=opened,
            high=np.maximum(opened, close) + 0.01,
            low=np.minimum(opened, close) - 0.01,
            close=close,
            volume=random.integers(1, 500, count),
        )

    return make
