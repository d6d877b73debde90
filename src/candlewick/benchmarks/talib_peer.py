"""TA-Lib + numpy: TA-Lib for what it has, numpy for VWAP, band width and percent b."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from candlewick.benchmarks.inputs import Inputs
from candlewick.columnar import Floats
from candlewick.errors import InputError
from candlewick.indicators import (
    ATR,
    EMA,
    MACD,
    RSI,
    SMA,
    VWAP,
    WMA,
    Bollinger,
    Indicator,
    PercentB,
    StandardDeviation,
    Stochastic,
    TrueRange,
)

NAME = "TA-Lib + numpy"
PACKAGES = ("talib",)
SETTLED = 1_000
"""Rows after which the other seed of a MACD with periods up to 60 is below the tolerance."""


def columns(inputs: Inputs, indicators: Iterable[Indicator]) -> dict[str, Floats]:
    """Every column of the definitions, by one library call a definition."""
    import talib

    result: dict[str, Floats] = {}
    for indicator in indicators:
        result.update(zip(indicator.columns, _values(talib, inputs, indicator), strict=True))
    return result


def vwap(inputs: Inputs, anchor: str) -> Floats:
    """VWAP by a cumulative sum over each session: one over everything is off by more than the tolerance."""
    paid = inputs.high + inputs.low
    paid += inputs.close
    paid /= 3.0
    paid *= inputs.volume
    traded = np.empty_like(paid)
    starts = inputs.starts[anchor].tolist()
    for start, stop in zip(starts, [*starts[1:], len(paid)], strict=True):
        np.cumsum(paid[start:stop], out=paid[start:stop])
        np.cumsum(inputs.volume[start:stop], out=traded[start:stop])
    return np.divide(paid, traded, out=paid)


def _values(talib: Any, inputs: Inputs, indicator: Indicator) -> tuple[Floats, ...]:
    source: Any = getattr(inputs, getattr(indicator, "source", "close"))
    match indicator:
        case SMA(period=n):
            return (talib.SMA(source, n),)
        case EMA(period=n):
            return (talib.EMA(source, n),)
        case WMA(period=n):
            return (talib.WMA(source, n),)
        case RSI(period=n):
            return (talib.RSI(source, n),)
        case ATR(period=n):
            return (talib.ATR(inputs.high, inputs.low, inputs.close, n),)
        case TrueRange():
            return (talib.TRANGE(inputs.high, inputs.low, inputs.close),)
        case StandardDeviation(period=n):
            return (talib.STDDEV(source, n, 1.0),)
        case VWAP(anchor=anchor):
            return (vwap(inputs, anchor),)
        case Bollinger(period=n, deviations=d):
            upper, middle, lower = talib.BBANDS(source, n, float(d), float(d))
            width = upper - lower
            width /= middle
            return upper, middle, lower, width
        case PercentB(period=n, deviations=d):
            upper, _, lower = talib.BBANDS(source, n, float(d), float(d))
            upper -= lower
            return (np.divide(source - lower, upper, out=upper),)
        case MACD(fast=fast, slow=slow, signal=signal):
            return tuple(talib.MACD(source, fast, slow, signal))
        case Stochastic(period=n, smooth=smooth, signal=signal):
            return tuple(talib.STOCH(inputs.high, inputs.low, inputs.close, n, smooth, 0, signal, 0))
    raise InputError("indicator", indicator.text, "one that TA-Lib or a line of numpy has", "has no TA-Lib form")
