"""Indicators as a pandas user writes them: rolling, ewm from a seeded start, groupby and cumsum.

Each function takes the definition and a frame of bars (``open high low close volume label``) and gives its columns in
the order of its parts. Where a value is undefined follows docs/guide/indicators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

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
from candlewick.indicators.deviation import NO_MIDDLE
from candlewick.indicators.rsi import UNCHANGED
from candlewick.service.classic_bars import group_keys
from candlewick.timeframe import Span

if TYPE_CHECKING:
    import pandas as pd

Column: TypeAlias = Any
"""A pandas Series; its package has no types."""
Made = Callable[[Any, Any], list[Column]]

SPANS = {"session": Span.SESSION, "week": Span.WEEK, "month": Span.MONTH}
"""Where each anchor of a VWAP begins again; ``first`` never does."""


def indicator_columns(indicator: Indicator, bars: pd.DataFrame) -> dict[str, Column]:
    """The columns of one indicator by name, one value for each bar."""
    return dict(zip(indicator.columns, FAMILIES[type(indicator)](indicator, bars), strict=True))


def check_known(indicators: Sequence[Indicator]) -> None:
    """Raise InputError for an indicator that has no pandas form here, as a user's plug-in."""
    for one in indicators:
        if type(one) not in FAMILIES:
            expected = f"ask the optimized engine, or for one of {', '.join(known.kind for known in FAMILIES)}"
            raise InputError("indicators", one.text, expected, "is not known to the classic engine")


def seeded(values: Column, period: int, factor: float, skip: int = 0) -> Column:
    """An exponential average from the mean of the first ``period`` values after ``skip``, which stands at the last."""
    seed = skip + period - 1
    if len(values) <= seed:
        return values * np.nan
    start = values.iloc[seed:].copy()
    start.iloc[0] = values.iloc[skip : seed + 1].mean()
    return start.ewm(alpha=factor, adjust=False).mean().reindex(values.index)


def true_range(bars: pd.DataFrame) -> Column:
    """The bar's range, stretched to the close before it; undefined at the first bar."""
    before = bars["close"].shift()
    return np.maximum(bars["high"], before) - np.minimum(bars["low"], before)


def _sma(of: SMA, bars: pd.DataFrame) -> list[Column]:
    return [bars[of.source].rolling(of.period).mean()]


def _ema(of: EMA, bars: pd.DataFrame) -> list[Column]:
    return [seeded(bars[of.source], of.period, 2 / (of.period + 1))]


def _wma(of: WMA, bars: pd.DataFrame) -> list[Column]:
    import pandas as pd

    values, n = bars[of.source].to_numpy(), of.period
    result = np.full(len(values), np.nan)
    if len(values) >= n:
        weights = np.arange(1, n + 1) / (n * (n + 1) / 2)
        result[n - 1 :] = np.convolve(values, weights[::-1], mode="valid")
    return [pd.Series(result, index=bars.index)]


def _rsi(of: RSI, bars: pd.DataFrame) -> list[Column]:
    change = bars[of.source].diff()
    gain = seeded(change.clip(lower=0), of.period, 1 / of.period, 1)
    loss = seeded(-change.clip(upper=0), of.period, 1 / of.period, 1)
    moved = gain + loss
    return [(100 * gain / moved).where(moved >= UNCHANGED)]


def _atr(of: ATR, bars: pd.DataFrame) -> list[Column]:
    return [seeded(true_range(bars), of.period, 1 / of.period, 1)]


def _true_range(_: TrueRange, bars: pd.DataFrame) -> list[Column]:
    return [true_range(bars)]


def _stddev(of: StandardDeviation, bars: pd.DataFrame) -> list[Column]:
    return [bars[of.source].rolling(of.period).std(ddof=0)]


def _vwap(of: VWAP, bars: pd.DataFrame) -> list[Column]:
    paid = (bars["high"] + bars["low"] + bars["close"]) / 3 * bars["volume"]
    if of.anchor in SPANS:
        key = group_keys(bars["label"].to_numpy(), SPANS[of.anchor])
        paid, traded = paid.groupby(key).cumsum(), bars["volume"].groupby(key).cumsum()
    else:
        paid, traded = paid.cumsum(), bars["volume"].cumsum()
    return [(paid / traded).where(traded > 0)]


def _bands(of: Bollinger | PercentB, bars: pd.DataFrame) -> tuple[Column, Column]:
    window = bars[of.source].rolling(of.period)
    return window.mean(), of.deviations * window.std(ddof=0)


def _bollinger(of: Bollinger, bars: pd.DataFrame) -> list[Column]:
    middle, half = _bands(of, bars)
    width = (2 * half / middle).where((middle.abs() > NO_MIDDLE * half) & (middle != 0))
    return [middle + half, middle, middle - half, width]


def _percent_b(of: PercentB, bars: pd.DataFrame) -> list[Column]:
    middle, half = _bands(of, bars)
    return [(0.5 + (bars[of.source] - middle) / (2 * half)).where(half > 0)]


def _macd(of: MACD, bars: pd.DataFrame) -> list[Column]:
    values = bars[of.source]
    fast, slow = (seeded(values, n, 2 / (n + 1)) for n in (of.fast, of.slow))
    line = fast - slow
    signal = seeded(line, of.signal, 2 / (of.signal + 1), of.slow - 1)
    return [line, signal, line - signal]


def _stochastic(of: Stochastic, bars: pd.DataFrame) -> list[Column]:
    top, bottom = bars["high"].rolling(of.period).max(), bars["low"].rolling(of.period).min()
    reach = top - bottom
    raw = (100 * (bars["close"] - bottom) / reach).where(reach > 0)
    k = raw.rolling(of.smooth).mean()
    return [k, k.rolling(of.signal).mean()]


FAMILIES: Mapping[type[Indicator], Made] = {
    SMA: _sma,
    EMA: _ema,
    WMA: _wma,
    RSI: _rsi,
    ATR: _atr,
    TrueRange: _true_range,
    StandardDeviation: _stddev,
    VWAP: _vwap,
    Bollinger: _bollinger,
    PercentB: _percent_b,
    MACD: _macd,
    Stochastic: _stochastic,
}
"""Every indicator that this engine knows."""
