"""The desk set over one long series, on one core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candlewick.aggregation.batch import session_bars
from candlewick.bars import Bars
from candlewick.benchmarks import pandas_peer, polars_peer, talib_peer, talipp_peer
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import minute_candles
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Faster, TimesTheCopy
from candlewick.benchmarks.inputs import Inputs
from candlewick.engine.compute import compute, warm_up
from candlewick.indicators import parse_indicators

ROWS = 1_000_000
TALIPP_ROWS = 20_000
QUICK_ROWS = 20_000
QUICK_TALIPP_ROWS = 3_000
COLUMNS_IN, COLUMNS_OUT = 5, 11
NO_WINDOW_FORM = "SQL window functions have no recursive average: EMA, RSI and ATR cannot be written with them"


def desk(rows: int, talipp_rows: int, rounds: int) -> Contest:
    """Everyone is given the session bars; ``new candles`` pays for finding the sessions and for fresh memory too."""
    candles = minute_candles(rows)
    bars = session_bars(candles)
    inputs = Inputs.of(bars)
    indicators = parse_indicators("desk")

    def reused() -> Callable[[], Any]:
        warm_up(indicators)
        out = compute(bars, indicators)
        return lambda: compute(bars, indicators, out=out)

    def of_new_candles() -> Callable[[], Any]:
        warm_up(indicators)
        return lambda: compute(candles.rows(0, rows), indicators)

    def by_pandas() -> Callable[[], Any]:
        frame = pandas_peer.frame(inputs)
        return lambda: pandas_peer.desk(frame)

    def by_polars() -> Callable[[], Any]:
        frame = polars_peer.frame(inputs)
        return lambda: polars_peer.desk(frame)

    def by_polars_talib() -> Callable[[], Any]:
        frame = polars_peer.frame(inputs)
        return lambda: polars_peer.with_talib(frame, indicators)

    contenders = [
        Contender("candlewick (reused output)", rows, reused, dict, ours=True),
        Contender("candlewick (fresh output)", rows, lambda: lambda: compute(bars, indicators), dict, ours=True),
        Contender("candlewick (new candles, fresh output)", rows, of_new_candles, dict, ours=True),
        Contender(
            talib_peer.NAME,
            rows,
            lambda: lambda: talib_peer.columns(inputs, indicators),
            dict,
            talib_peer.PACKAGES,
            note="9 columns by TA-Lib, VWAP and width by numpy",
        ),
        Contender(
            pandas_peer.NAME,
            rows,
            by_pandas,
            lambda frame: {name: frame[name].to_numpy() for name in frame.columns},
            pandas_peer.PACKAGES,
            tolerance=pandas_peer.TOLERANCE,
        ),
        Contender(polars_peer.NATIVE, rows, by_polars, polars_peer.answers, polars_peer.PACKAGES, note="on all cores"),
        Contender(
            polars_peer.WITH_TALIB,
            rows,
            by_polars_talib,
            polars_peer.answers,
            polars_peer.TALIB_PACKAGES,
            note="on all cores; VWAP and width in polars",
        ),
        Contender(
            talipp_peer.NAME,
            talipp_rows,
            lambda: _one_by_one(bars.rows(0, talipp_rows)),
            talipp_peer.answers,
            talipp_peer.PACKAGES,
            settled=talipp_peer.SETTLED,
            note=f"candle by candle, the first {talipp_rows:,}",
        ),
    ]
    return Contest(contenders, 8.0 * (COLUMNS_IN + COLUMNS_OUT), rounds, [LeftOut("DuckDB", NO_WINDOW_FORM)])


def _one_by_one(bars: Bars) -> Callable[[], Any]:
    candles = talipp_peer.candles_of(Inputs.of(bars))
    begins = (bars.anchor & 1).astype(bool).tolist()

    def run() -> list[tuple[Any, ...]]:
        state = talipp_peer.Desk()
        return [state.add(candle, new) for candle, new in zip(candles, begins, strict=True)]

    return run


DESK = Benchmark(
    name="desk",
    title="desk set (11 columns), 1M minute candles, one core",
    unit="candle",
    target=(Faster(3.5, talib_peer.NAME), Faster(14, pandas_peer.NAME)),
    stretch=(Faster(5, talib_peer.NAME), TimesTheCopy(1.5)),
    full=lambda _: desk(ROWS, TALIPP_ROWS, ROUNDS),
    quick=lambda _: desk(QUICK_ROWS, QUICK_TALIPP_ROWS, QUICK_ROUNDS),
)
