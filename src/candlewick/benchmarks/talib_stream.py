"""TA-Lib's streaming handles: one candle at a time, each indicator a stateful object; VWAP and width in Python."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from candlewick.benchmarks.inputs import Inputs
from candlewick.columnar import Floats

NAME = "TA-Lib streams"
COLUMNS = (
    "sma_9",
    "bollinger_20_2_upper",
    "bollinger_20_2_middle",
    "bollinger_20_2_lower",
    "bollinger_20_2_width",
    "vwap",
    "ema_5",
    "ema_9",
    "ema_50",
    "atr_14",
    "rsi_14",
)


class Desk:
    """The desk set of one symbol, opened on its history."""

    def __init__(self, history: Inputs) -> None:
        from talib import stream

        close = history.close
        self._average = stream.SMA(close, 9)
        self._bands = stream.BBANDS(close, 20, 2.0, 2.0)
        self._smoothed = [stream.EMA(close, period) for period in (5, 9, 50)]
        self._true_range = stream.ATR(history.high, history.low, close, 14)
        self._strength = stream.RSI(close, 14)
        start = int(history.starts["session"][-1])
        typical = (history.high + history.low + close)[start:] / 3.0
        self._paid = float(np.sum(typical * history.volume[start:]))
        self._traded = float(np.sum(history.volume[start:]))

    def add(self, candle: tuple[float, float, float, float], new_session: bool) -> tuple[float, ...]:
        """Take one candle (high, low, close, volume); the 11 values in the order of COLUMNS."""
        high, low, close, volume = candle
        if new_session:
            self._paid = self._traded = 0.0
        self._paid += (high + low + close) / 3.0 * volume
        self._traded += volume
        upper, middle, lower = self._bands.update(close)
        fast, medium, slow = self._smoothed
        return (
            self._average.update(close),
            upper,
            middle,
            lower,
            (upper - lower) / middle,
            self._paid / self._traded,
            fast.update(close),
            medium.update(close),
            slow.update(close),
            self._true_range.update(high, low, close),
            self._strength.update(close),
        )


def answers(rows: Iterable[tuple[float, ...]]) -> dict[str, Floats]:
    """What ``Desk.add`` returned for each symbol, as columns."""
    return dict(zip(COLUMNS, np.array(list(rows), dtype=np.float64).T, strict=True))
