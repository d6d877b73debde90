"""Series for the tests of the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from candlewick import Candles
from candlewick.timeframe import MINUTE

START = 1_704_153_600_000_000
"""2024-01-02T00:00:00Z, a Tuesday."""


@pytest.fixture
def minutes() -> Callable[..., Candles]:
    """A maker of one-minute candles round the clock: those from ``first`` on of a walk that depends on ``seed``."""

    def make(count: int, first: int = 0, *, seed: int = 1, symbol: str = "S") -> Candles:
        random = np.random.default_rng(seed)
        close = np.round(100 + np.cumsum(random.normal(0, 0.05, first + count)), 2)
        opened = np.concatenate([close[:1], close[:-1]])
        return Candles(
            symbol=symbol,
            timeframe="1m",
            calendar="24/7",
            time=START + np.arange(first, first + count) * MINUTE,
            open=opened[first:],
            high=(np.maximum(opened, close) + 0.01)[first:],
            low=(np.minimum(opened, close) - 0.01)[first:],
            close=close[first:],
            volume=random.integers(1, 500, first + count)[first:],
        )

    return make
