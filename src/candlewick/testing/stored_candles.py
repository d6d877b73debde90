"""Candles and rows for the tests of stores."""

from __future__ import annotations

from typing import Any

import numpy as np

from candlewick.candles import Candles
from candlewick.store.history import DAY
from candlewick.store.repository import QuarantinedRow
from candlewick.timeframe import MINUTE

START = 1_704_205_800_000_000
"""2024-01-02T14:30:00Z, the open of an XNYS session, in microseconds."""

FIRST_DAY = START // DAY
"""The UTC day of START, counted from 1970."""

SYMBOLS = ("SPY", "BRK/B", "A|B", "BTC-USD", "ЯНДЕКС", "日経225", "a b", "it's", '"quoted"', "%_x", "😀")


def some(
    symbol: str = "SPY",
    minutes: Any = range(5),
    *,
    price: float = 100.0,
    timeframe: str = "1m",
    calendar: str = "XNYS",
) -> Candles:
    """Candles at the given minutes after START; the price of each depends on its minute and on ``price`` only."""
    at = np.array(list(minutes), dtype=np.int64)
    close = price + at * 0.25
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        calendar=calendar,
        time=START + at * MINUTE,
        open=close,
        high=close + 1,
        low=close - 1,
        close=close,
        volume=np.abs(at) * 10.0,
    )


def refused(content: str = "c0", line: int = 2, symbol: str = "SPY", file: str = "a.csv") -> QuarantinedRow:
    """One refused row."""
    return QuarantinedRow(content, line, file, symbol, "high below open or close", "SPY,1,2,'3\",ü", START)
