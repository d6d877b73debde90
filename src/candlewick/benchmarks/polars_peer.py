"""polars: the desk set in its own expressions, and with the polars-talib plug-in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import polars as pl

NATIVE = "polars"
PACKAGES = ("polars",)
WITH_TALIB = "polars-talib"
TALIB_PACKAGES = ("polars", "polars_talib")


def frame(inputs: Inputs) -> pl.DataFrame:
    """What is at hand before the clock starts: candles with the session, week and month that each belongs to."""
    import polars as pl

    columns = {name: getattr(inputs, name) for name in ("open", "high", "low", "close", "volume")}
    return pl.DataFrame({**columns, **{name: inputs.number(name) for name in inputs.starts}})


def answers(found: pl.DataFrame) -> dict[str, Floats]:
    """The columns as numpy, null as NaN."""
    return {name: np.asarray(found[name].to_numpy(), dtype=np.float64) for name in found.columns}


def desk(candles: pl.DataFrame) -> pl.DataFrame:
    """The 11 columns of the desk set in polars' own expressions; lazily, so that common parts are computed once."""
    import polars as pl

    close, high, low = pl.col("close"), pl.col("high"), pl.col("low")
    middle = close.rolling_mean(20)
    half = 2 * close.rolling_std(20, ddof=0)
    before = close.shift()
    ranges = pl.max_horizontal(high, before) - pl.min_horizontal(low, before)
    true_range = pl.when(before.is_not_null()).then(ranges)
    change = close.diff()
    gain = _smoothed(change.clip(lower_bound=0), 14, 1 / 14, 1)
    loss = _smoothed(-change.clip(upper_bound=0), 14, 1 / 14, 1)
    wanted = candles.lazy().select(
        sma_9=close.rolling_mean(9),
        bollinger_20_2_upper=middle + half,
        bollinger_20_2_middle=middle,
        bollinger_20_2_lower=middle - half,
        bollinger_20_2_width=2 * half / middle,
        vwap=_vwap("session"),
        ema_5=_smoothed(close, 5, 2 / 6),
        ema_9=_smoothed(close, 9, 2 / 10),
        ema_50=_smoothed(close, 50, 2 / 51),
        atr_14=_smoothed(true_range, 14, 1 / 14, 1),
        rsi_14=100 * gain / (gain + loss),
    )
    return wanted.collect()


def with_talib(candles: pl.DataFrame, indicators: Iterable[Indicator]) -> pl.DataFrame:
    """Every column of the definitions, by the plug-in where it has them; eagerly, which is quicker here."""
    return candles.select([column for indicator in indicators for column in _by_talib(indicator)])


def _by_talib(indicator: Indicator) -> list[pl.Expr]:
    import polars as pl
    import polars_talib as talib

    source = pl.col(getattr(indicator, "source", "close"))
    high, low, close = pl.col("high"), pl.col("low"), pl.col("close")
    match indicator:
        case SMA(period=n):
            found = [talib.sma(source, n)]
        case EMA(period=n):
            found = [talib.ema(source, n)]
        case WMA(period=n):
            found = [talib.wma(source, n)]
        case RSI(period=n):
            found = [talib.rsi(source, n)]
        case ATR(period=n):
            found = [talib.atr(high, low, close, n)]
        case TrueRange():
            found = [talib.trange(high, low, close)]
        case StandardDeviation(period=n):
            found = [talib.stddev(source, n, 1.0)]
        case VWAP(anchor=anchor):
            found = [_vwap(anchor)]
        case Bollinger(period=n, deviations=d):
            upper, middle, lower = _fields(talib.bbands(source, n, float(d), float(d)), _BANDS)
            found = [upper, middle, lower, (upper - lower) / middle]
        case PercentB(period=n, deviations=d):
            upper, _, lower = _fields(talib.bbands(source, n, float(d), float(d)), _BANDS)
            found = [(source - lower) / (upper - lower)]
        case MACD(fast=fast, slow=slow, signal=signal):
            found = _fields(talib.macd(source, fast, slow, signal), ("macd", "macdsignal", "macdhist"))
        case Stochastic(period=n, smooth=smooth, signal=signal):
            found = _fields(talib.stoch(high, low, close, n, smooth, 0, signal, 0), ("slowk", "slowd"))
        case _:
            raise InputError("indicator", indicator.text, "one that polars-talib or polars has", "has no such form")
    return [column.alias(name) for column, name in zip(found, indicator.columns, strict=True)]


_BANDS = ("upperband", "middleband", "lowerband")


def _fields(struct: pl.Expr, names: tuple[str, ...]) -> list[pl.Expr]:
    return [struct.struct.field(name) for name in names]


def _vwap(anchor: str) -> pl.Expr:
    import polars as pl

    paid = (pl.col("high") + pl.col("low") + pl.col("close")) / 3 * pl.col("volume")
    return paid.cum_sum().over(anchor) / pl.col("volume").cum_sum().over(anchor)


def _smoothed(values: pl.Expr, period: int, factor: float, first: int = 0) -> pl.Expr:
    """An exponential average that starts from the mean of its first ``period`` values."""
    import polars as pl

    seed = first + period - 1
    row = pl.int_range(pl.len())
    seeded = pl.when(row > seed).then(values).when(row == seed).then(values.slice(first, period).mean())
    return seeded.ewm_mean(alpha=factor, adjust=False)
