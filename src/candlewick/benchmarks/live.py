"""One closed candle of every symbol: what a live system does each minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from candlewick.aggregation.batch import session_bars
from candlewick.bars import Bars
from candlewick.benchmarks import pandas_peer, polars_peer, talib_peer, talib_stream, talipp_peer
from candlewick.benchmarks.agreement import Answers
from candlewick.benchmarks.benchmark import QUICK_ROUNDS, ROUNDS, Benchmark
from candlewick.benchmarks.candle_data import CALENDAR, symbol_name, trading_minutes, walk
from candlewick.benchmarks.contest import Contender, Contest, LeftOut
from candlewick.benchmarks.goal import Within
from candlewick.benchmarks.inputs import Inputs
from candlewick.benchmarks.scan import stacked
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats, Integers
from candlewick.engine.compute import warm_up
from candlewick.engine.stream_many import StreamMany
from candlewick.indicators import parse_indicators
from candlewick.sessions.calendar import find_calendar

SYMBOLS, SAMPLE = 5_000, 20
QUICK_SYMBOLS, QUICK_SAMPLE = 50, 3
HISTORY = 500
"""Candles before the first one that is timed: every window is full, and peers that recompute have this many."""
STEP = 10
"""Candles of every symbol taken in one timed call."""
WINDOWED = 1e-7
"""Tolerance of peers that start over on HISTORY candles: ema(50) still knows its seed by (49/51)^450."""
SEEDED = 1e-7
"""Tolerance of peers whose other seed is HISTORY candles back."""


@dataclass(frozen=True)
class Market:
    """``columns``: candles x symbols of each column. ``anchor``, ``time``: one for each candle."""

    columns: Mapping[str, Floats]
    anchor: npt.NDArray[np.uint8]
    time: Integers

    @classmethod
    def of(cls, symbols: int, rows: int) -> Market:
        """A seeded market over the same minutes for every symbol."""
        time = trading_minutes(find_calendar(CALENDAR), rows)
        columns = walk((rows, symbols), np.random.default_rng(1))
        unmarked = cls(columns, np.zeros(rows, dtype=np.uint8), time)
        return cls(columns, unmarked.series(0).anchor, time)

    def __len__(self) -> int:
        return len(self.time)

    def bar(self, row: int) -> dict[str, Any]:
        """One candle of every symbol, as ``StreamMany`` takes it."""
        marks = np.full(self.columns["close"].shape[1], self.anchor[row])
        return {**{name: self.columns[name][row] for name in VALUES}, "anchor": marks}

    def series(self, symbol: int) -> Bars:
        """Every candle of one symbol."""
        values = {name: np.ascontiguousarray(self.columns[name][:, symbol]) for name in VALUES}
        return session_bars(
            Candles(symbol=symbol_name(symbol), timeframe="1m", calendar=CALENDAR, time=self.time, **values)
        )


def live(symbols: int, sample: int, rounds: int) -> Contest:
    """``sample``: how many of the symbols the slower peers are given. Each call takes the next STEP candles."""
    market = Market.of(symbols, HISTORY + STEP * (rounds + 1))
    indicators = parse_indicators("desk")

    def ours() -> Callable[[], Any]:
        warm_up(indicators)
        stream = StreamMany(indicators, [symbol_name(k) for k in range(symbols)])
        bars = [market.bar(row) for row in range(len(market))]
        return steps(lambda row: stream.update(bars[row]), len(market))

    def by_streams() -> Callable[[], Any]:
        states = [talib_stream.Desk(Inputs.of(market.series(k).rows(0, HISTORY))) for k in range(sample)]
        rows = [_rows(market, k) for k in range(sample)]
        begins = (market.anchor & 1).astype(bool).tolist()

        def take(row: int) -> Any:
            return [state.add(candles[row], begins[row]) for state, candles in zip(states, rows, strict=True)]

        return steps(take, len(market), fed=HISTORY)

    def by_windows(task: Callable[[Any], Any], ready: Callable[[Inputs], Any]) -> Callable[[], Callable[[], Any]]:
        def prepare() -> Callable[[], Any]:
            series = [market.series(k) for k in range(sample)]
            windows = {
                row: [ready(Inputs.of(bars.rows(row + 1 - HISTORY, row + 1))) for bars in series]
                for row in range(HISTORY, len(market))
            }
            return steps(lambda row: [task(window) for window in windows[row]], len(market), fed=HISTORY)

        return prepare

    def by_talipp() -> Callable[[], Any]:
        states = [talipp_peer.Desk() for _ in range(sample)]
        candles = [talipp_peer.candles_of(Inputs.of(market.series(k))) for k in range(sample)]
        begins = (market.anchor & 1).astype(bool).tolist()
        return steps(
            lambda row: [state.add(mine[row], begins[row]) for state, mine in zip(states, candles, strict=True)],
            len(market),
        )

    sampled = f"{sample} of the symbols"
    contenders = [
        Contender("candlewick", symbols * STEP, ours, _copied, ours=True, note="StreamMany"),
        Contender(
            talib_stream.NAME,
            sample * STEP,
            by_streams,
            talib_stream.answers,
            talib_peer.PACKAGES,
            note=f"stateful handles, {sampled}",
        ),
        Contender(
            talib_peer.NAME,
            sample * STEP,
            by_windows(lambda one: talib_peer.columns(one, indicators), lambda one: one),
            lambda found: stacked({name: values[-1] for name, values in columns.items()} for columns in found),
            talib_peer.PACKAGES,
            tolerance=WINDOWED,
            note=f"recomputes the newest {HISTORY} candles, {sampled}",
        ),
        Contender(
            pandas_peer.NAME,
            sample * STEP,
            by_windows(pandas_peer.desk, pandas_peer.frame),
            lambda found: stacked(frame.iloc[-1].to_dict() for frame in found),
            pandas_peer.PACKAGES,
            tolerance=WINDOWED,
            note=f"recomputes the newest {HISTORY} candles, {sampled}",
        ),
        Contender(
            polars_peer.NATIVE,
            sample * STEP,
            by_windows(polars_peer.desk, polars_peer.frame),
            lambda found: stacked(frame.row(-1, named=True) for frame in found),
            polars_peer.PACKAGES,
            tolerance=WINDOWED,
            note=f"recomputes the newest {HISTORY} candles, {sampled}",
        ),
        Contender(
            talipp_peer.NAME,
            sample * STEP,
            by_talipp,
            talipp_peer.answers,
            talipp_peer.PACKAGES,
            tolerance=SEEDED,
            note=sampled,
        ),
    ]
    left_out = [
        LeftOut(polars_peer.WITH_TALIB, "recomputes a window as polars and TA-Lib do, which take part"),
        LeftOut(
            "DuckDB", "SQL window functions have no recursive average: EMA, RSI and ATR cannot be written with them"
        ),
    ]
    return Contest(contenders, 8.0 * (5 + 11), rounds, left_out)


def steps(take: Callable[[int], Any], rows: int, *, fed: int = 0) -> Callable[[], Any]:
    """Feeds the history from ``fed`` on; each call then takes the next STEP rows and returns the last answer."""
    for row in range(fed, HISTORY):
        take(row)
    ahead = iter(range(HISTORY, rows))

    def run() -> Any:
        found = None
        for _ in range(STEP):
            found = take(next(ahead))
        return found

    return run


def _rows(market: Market, symbol: int) -> list[tuple[float, float, float, float]]:
    high, low, close, volume = (market.columns[name][:, symbol].tolist() for name in ("high", "low", "close", "volume"))
    return list(zip(high, low, close, volume, strict=True))


def _copied(found: Mapping[str, Floats]) -> Answers:
    return {name: values.copy() for name, values in found.items()}


LIVE = Benchmark(
    name="live",
    title="one closed candle, 5,000 symbols, desk set, windows not flat",
    unit="symbol",
    target=(Within(60),),
    stretch=(Within(25),),
    full=lambda _: live(SYMBOLS, SAMPLE, ROUNDS),
    quick=lambda _: live(QUICK_SYMBOLS, QUICK_SAMPLE, QUICK_ROUNDS),
)
