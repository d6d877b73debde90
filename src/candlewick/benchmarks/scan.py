"""A scan of a universe: the newest values of the desk set of many series, on two threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from candlewick.aggregation.batch import session_bars
from candlewick.benchmarks import pandas_peer, polars_peer, talib_peer, talipp_peer
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import universe
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Within
from candlewick.benchmarks.inputs import Inputs
from candlewick.columnar import Floats
from candlewick.engine.compute import compute_many, warm_up
from candlewick.indicators import parse_indicators

SYMBOLS, ROWS = 500, 20_000
QUICK_SYMBOLS, QUICK_ROWS = 20, 2_000
THREADS = 2
COLUMNS_IN = 5


def scan(symbols: int, rows: int, rounds: int) -> Contest:
    """Session bars given; last values only."""
    series = [session_bars(candles) for candles in universe(symbols, rows)]
    inputs = [Inputs.of(bars) for bars in series]
    indicators = parse_indicators("desk")

    def ours() -> Callable[[], Any]:
        warm_up(indicators)
        return lambda: list(compute_many(series, indicators, last=True, threads=THREADS))

    def by_pandas() -> Callable[[], Any]:
        frames = [pandas_peer.frame(one) for one in inputs]
        return lambda: _threaded(lambda frame: pandas_peer.desk(frame).iloc[-1], frames)

    def by_polars(desk: Callable[[Any], Any]) -> Callable[[], Callable[[], Any]]:
        def prepare() -> Callable[[], Any]:
            frames = [polars_peer.frame(one) for one in inputs]
            return lambda: [desk(frame).row(-1, named=True) for frame in frames]

        return prepare

    def newest(one: Inputs) -> dict[str, float]:
        return {name: values[-1] for name, values in talib_peer.columns(one, indicators).items()}

    contenders = [
        Contender(
            "candlewick",
            symbols * rows,
            ours,
            lambda frames: stacked({name: values[-1] for name, values in frame.items()} for frame in frames),
            ours=True,
            note=f"compute_many(last=True), {THREADS} threads",
        ),
        Contender(
            talib_peer.NAME,
            symbols * rows,
            lambda: lambda: _threaded(newest, inputs),
            stacked,
            talib_peer.PACKAGES,
            note=f"every column of a series, the last row kept, {THREADS} threads",
        ),
        Contender(
            pandas_peer.NAME,
            symbols * rows,
            by_pandas,
            lambda rows: stacked(row.to_dict() for row in rows),
            pandas_peer.PACKAGES,
            tolerance=pandas_peer.TOLERANCE,
            note=f"the same, {THREADS} threads",
        ),
        Contender(
            polars_peer.NATIVE,
            symbols * rows,
            by_polars(polars_peer.desk),
            stacked,
            polars_peer.PACKAGES,
            note="the same, on its own threads",
        ),
        Contender(
            polars_peer.WITH_TALIB,
            symbols * rows,
            by_polars(lambda frame: polars_peer.with_talib(frame, indicators)),
            stacked,
            polars_peer.TALIB_PACKAGES,
            note="the same, on its own threads",
        ),
    ]
    left_out = [
        LeftOut(
            "DuckDB", "SQL window functions have no recursive average: EMA, RSI and ATR cannot be written with them"
        ),
        LeftOut(talipp_peer.NAME, "goes candle by candle; it takes part in desk and live"),
    ]
    return Contest(contenders, 8.0 * COLUMNS_IN, rounds, left_out)


def _threaded(task: Callable[[Any], Any], series: Sequence[Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(task, series))


def stacked(rows: Iterable[Mapping[str, float]]) -> dict[str, Floats]:
    """One row a symbol, as columns."""
    found = list(rows)
    return {name: np.array([row[name] for row in found], dtype=np.float64) for name in found[0]}


SCAN = Benchmark(
    name="scan",
    title="universe scan, 500 symbols x 20,000 candles, desk set, last values only, 2 threads",
    unit="candle",
    target=(Within(5.0, "200M candles/s"),),
    stretch=(Within(10 / 3, "300M candles/s"),),
    full=lambda _: scan(SYMBOLS, ROWS, ROUNDS),
    quick=lambda _: scan(QUICK_SYMBOLS, QUICK_ROWS, QUICK_ROUNDS),
)
