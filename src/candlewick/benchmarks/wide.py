"""Sixty definitions, ninety columns, over one long series, on one core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candlewick.aggregation.batch import session_bars
from candlewick.benchmarks import pandas_peer, polars_peer, talib_peer, talipp_peer
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import minute_candles
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Within
from candlewick.benchmarks.inputs import Inputs
from candlewick.engine.compute import compute, warm_up
from candlewick.indicators import Indicator, parse_indicators

ROWS = 1_000_000
QUICK_ROWS = 10_000
COLUMNS_IN = 5
PERIODS = (5, 8, 9, 13, 20, 34, 50, 60)


def definitions() -> tuple[Indicator, ...]:
    """45 of one column, 5 Bollinger bands, 5 MACD and 5 stochastics: what exists, over many periods and sources."""
    texts = [f"{kind}({period})" for kind in ("sma", "ema") for period in PERIODS]
    texts += [f"wma({period})" for period in PERIODS[:6]]
    texts += [f"rsi({period})" for period in (7, 9, 14, 21, 28)]
    texts += [f"atr({period})" for period in (7, 14, 21, 28)]
    texts += [f"stddev({period})" for period in (10, 14, 20, 30, 50)]
    texts += [f"percent_b({period},2)" for period in (10, 20, 30, 50)]
    texts += ["true_range", "vwap", "vwap(week)", "vwap(month)", "sma(20,volume)"]
    texts += ["bollinger(10,2)", "bollinger(20,2)", "bollinger(20,2.5)", "bollinger(30,2)", "bollinger(50,3)"]
    texts += ["macd(5,13,5)", "macd(8,17,9)", "macd(12,26,9)", "macd(16,34,9)", "macd(24,52,18)"]
    texts += [f"stochastic({period},3,3)" for period in (5, 9, 14, 21, 34)]
    return parse_indicators(texts)


def wide(rows: int, rounds: int, indicators: tuple[Indicator, ...]) -> Contest:
    """Session bars and definitions given; a unit is one column of one candle."""
    bars = session_bars(minute_candles(rows))
    inputs = Inputs.of(bars)
    columns = sum(len(indicator.columns) for indicator in indicators)
    units = rows * columns

    def reused() -> Callable[[], Any]:
        warm_up(indicators)
        out = compute(bars, indicators)
        return lambda: compute(bars, indicators, out=out)

    def by_polars_talib() -> Callable[[], Any]:
        frame = polars_peer.frame(inputs)
        return lambda: polars_peer.with_talib(frame, indicators)

    contenders = [
        Contender("candlewick (reused output)", units, reused, dict, ours=True),
        Contender("candlewick (fresh output)", units, lambda: lambda: compute(bars, indicators), dict, ours=True),
        Contender(
            talib_peer.NAME,
            units,
            lambda: lambda: talib_peer.columns(inputs, indicators),
            dict,
            talib_peer.PACKAGES,
            settled=talib_peer.SETTLED,
        ),
        Contender(
            polars_peer.WITH_TALIB,
            units,
            by_polars_talib,
            polars_peer.answers,
            polars_peer.TALIB_PACKAGES,
            settled=talib_peer.SETTLED,
            note="on all cores; VWAP, width and percent b in polars",
        ),
    ]
    left_out = [
        LeftOut(pandas_peer.NAME, "has no weighted moving average of its own; it takes part in desk"),
        LeftOut(polars_peer.NATIVE, "takes part in desk, and here with its TA-Lib plug-in, which is quicker"),
        LeftOut("DuckDB", "SQL window functions have no recursive average: EMA, RSI, ATR and MACD cannot be written"),
        LeftOut(talipp_peer.NAME, "goes candle by candle; it takes part in desk and live"),
    ]
    return Contest(contenders, 8.0 * (COLUMNS_IN + columns) / columns, rounds, left_out)


WIDE = Benchmark(
    name="wide",
    title="60 indicators (90 columns), 1M minute candles, one core",
    unit="column and candle",
    target=(Within(1.0),),
    stretch=(Within(0.6),),
    full=lambda _: wide(ROWS, ROUNDS, definitions()),
    quick=lambda _: wide(QUICK_ROWS, QUICK_ROUNDS, definitions()),
)
