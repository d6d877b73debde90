"""The made-up market of `scale.py`: as many symbols and minutes as are asked for, a piece at a time."""

from __future__ import annotations

import time

import numpy as np

from candlewick.benchmarks.candle_data import TICK, trading_minutes
from candlewick.candles import VALUES, Candles
from candlewick.columnar import Floats
from candlewick.sessions.calendar import find_calendar
from candlewick.timeframe import Timeframe

CALENDAR, TIMEFRAME = "XNYS", "1m"


class Market:
    """Made-up candles of ``symbols``: `take` gives the next minutes of all of them, each going on where it was."""

    def __init__(self, symbols: int, minutes: int, seed: int = 6) -> None:
        self.names = [f"SCALE{number:04d}" for number in range(symbols)]
        self.time = trading_minutes(find_calendar(CALENDAR), minutes)
        self.seconds = 0.0
        self._random = np.random.default_rng(seed)
        self._close = np.round(self._random.uniform(20, 500, symbols), 2)
        self._at = 0

    def take(self, minutes: int) -> list[Candles]:
        """The candles of the next minutes, in the order of the symbols."""
        began = time.perf_counter()
        random, shape = self._random, (len(self.names), minutes)
        moves = random.standard_normal(shape) * 5e-4
        close = _ticks(self._close[:, None] * np.exp(np.cumsum(moves, axis=1)))
        opened = np.concatenate([self._close[:, None], close[:, :-1]], axis=1)
        opened = _ticks(opened + TICK * random.integers(-1, 2, shape, dtype=np.int8))
        high = _ticks(np.maximum(opened, close) + TICK * random.integers(0, 6, shape, dtype=np.int8))
        low = _ticks(np.minimum(opened, close) - TICK * random.integers(0, 6, shape, dtype=np.int8))
        volume = np.floor(np.exp(6.0 + random.standard_normal(shape))) + 1.0
        columns = dict(zip(VALUES, (opened, high, low, close, volume), strict=True))
        self._close = close[:, -1]
        times = self.time[self._at : self._at + minutes]
        self._at += minutes
        length, calendar = Timeframe.parse(TIMEFRAME), find_calendar(CALENDAR)
        made = [
            Candles.trusted(name, length, calendar, times, {column: columns[column][at] for column in VALUES})
            for at, name in enumerate(self.names)
        ]
        self.seconds += time.perf_counter() - began
        return made


def _ticks(prices: Floats) -> Floats:
    rounded: Floats = np.round(prices * 100) / 100
    return rounded
