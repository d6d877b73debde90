"""talipp: one candle at a time through its incremental indicators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import nan
from typing import Any

import numpy as np

from candlewick.benchmarks.inputs import Inputs
from candlewick.columnar import Floats

NAME = "talipp"
PACKAGES = ("talipp",)
SETTLED = 1_000
"""Rows after which its other seeds (RSI from 13 changes, ATR with the first bar's range) are below the tolerance."""


def candles_of(inputs: Inputs) -> list[Any]:
    """What is at hand before the clock starts: the library's own candle objects."""
    from talipp.ohlcv import OHLCV

    rows = zip(inputs.open, inputs.high, inputs.low, inputs.close, inputs.volume, strict=True)
    return [OHLCV(*map(float, row)) for row in rows]


class Desk:
    """The desk set of one symbol. Its VWAP never starts again by itself, so each session gets a new one."""

    def __init__(self) -> None:
        from talipp.indicators import ATR, BB, EMA, RSI, SMA, VWAP

        self._new_vwap: Callable[[], Any] = VWAP
        self.average = SMA(9)
        self.bands = BB(20, 2.0)
        self.vwap: Any = VWAP()
        self.smoothed = [EMA(5), EMA(9), EMA(50)]
        self.true_range = ATR(14)
        self.strength = RSI(14)

    def add(self, candle: Any, new_session: bool) -> tuple[Any, ...]:
        """Take one candle; the newest sma, bands, vwap, three ema, atr and rsi."""
        close = candle.close
        self.average.add(close)
        self.bands.add(close)
        if new_session:
            self.vwap = self._new_vwap()
        self.vwap.add(candle)
        for smoothed in self.smoothed:
            smoothed.add(close)
        self.true_range.add(candle)
        self.strength.add(close)
        fast, medium, slow = self.smoothed
        return (
            self.average[-1],
            self.bands[-1],
            self.vwap[-1],
            fast[-1],
            medium[-1],
            slow[-1],
            self.true_range[-1],
            self.strength[-1],
        )


def answers(rows: Iterable[tuple[Any, ...]]) -> dict[str, Floats]:
    """What ``Desk.add`` returned, as the 11 columns; None as NaN."""
    found = [_columns(row) for row in rows]
    return {name: np.array([row[name] for row in found], dtype=np.float64) for name in found[0]}


def _columns(row: tuple[Any, ...]) -> dict[str, float | None]:
    average, bands, vwap, fast, medium, slow, true_range, strength = row
    upper, middle, lower = (nan, nan, nan) if bands is None else (bands.ub, bands.cb, bands.lb)
    return {
        "sma_9": average,
        "bollinger_20_2_upper": upper,
        "bollinger_20_2_middle": middle,
        "bollinger_20_2_lower": lower,
        "bollinger_20_2_width": (upper - lower) / middle,
        "vwap": vwap,
        "ema_5": fast,
        "ema_9": medium,
        "ema_50": slow,
        "atr_14": true_range,
        "rsi_14": strength,
    }
