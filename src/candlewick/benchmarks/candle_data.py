"""Candle data: seeded minute candles that look like a market's, the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from candlewick.candles import Candles
from candlewick.columnar import Floats, Integers
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.timeframe import MINUTE

TICK = 0.01
"""Prices are whole ticks, as an exchange quotes them."""
CALENDAR = "XNYS"
FIRST_DAY = "2010-01-04"
"""Ten and a half years of 390-minute sessions behind it make the million candles."""
_YEAR = 366 * 86_400_000_000


def minute_candles(rows: int, symbol: str = "SEED", *, calendar: str | Calendar = CALENDAR, seed: int = 1) -> Candles:
    """``rows`` candles, one for each trading minute from FIRST_DAY on, without gaps or flat stretches."""
    sessions = find_calendar(calendar)
    time = trading_minutes(sessions, rows)
    columns = walk((rows,), np.random.default_rng(seed))
    return Candles(symbol=symbol, timeframe="1m", calendar=sessions, time=time, **columns)


def universe(symbols: int, rows: int, *, calendar: str | Calendar = CALENDAR, seed: int = 1) -> list[Candles]:
    """``symbols`` series of ``rows`` candles each, all over the same minutes."""
    sessions = find_calendar(calendar)
    time = trading_minutes(sessions, rows)
    return [
        Candles(
            symbol=symbol_name(number),
            timeframe="1m",
            calendar=sessions,
            time=time,
            **walk((rows,), np.random.default_rng([seed, number])),
        )
        for number in range(symbols)
    ]


def symbol_name(number: int) -> str:
    """``SEED0007``."""
    return f"SEED{number:04d}"


def trading_minutes(calendar: Calendar, rows: int) -> Integers:
    """Opens of the first ``rows`` trading minutes from FIRST_DAY on, int64 microseconds UTC."""
    first = int(np.datetime64(FIRST_DAY, "us").astype(np.int64))
    last = first
    while True:
        last += _YEAR
        periods = calendar.periods(first, last)
        counts = (periods.close - periods.open) // MINUTE
        if counts.sum() >= rows:
            break
    before = np.cumsum(counts) - counts
    minute = np.arange(counts.sum(), dtype=np.int64) - np.repeat(before, counts)
    found: Integers = (np.repeat(periods.open, counts) + minute * MINUTE)[:rows]
    return found


def walk(shape: tuple[int, ...], random: np.random.Generator) -> dict[str, Floats]:
    """``open high low close volume``: a random walk of about 5 ticks a minute around 100, time on the first axis."""
    moves = random.normal(0.0, 5e-4, shape)
    close = _ticks(100.0 * np.exp(_kept_near(np.cumsum(moves, axis=0))))
    opened = np.empty_like(close)
    opened[0] = close[0]
    opened[1:] = close[:-1] + TICK * random.integers(-1, 2, (shape[0] - 1, *shape[1:]))
    opened = _ticks(opened)
    high = _ticks(np.maximum(opened, close) + TICK * random.integers(0, 6, shape))
    low = _ticks(np.minimum(opened, close) - TICK * random.integers(0, 6, shape))
    volume = np.floor(random.lognormal(6.0, 1.0, shape)) + 1.0
    return {"open": opened, "high": high, "low": low, "close": close, "volume": volume}


def _ticks(prices: Floats) -> Floats:
    """Whole ticks as the nearest float64 of the decimal number, which is what a feed delivers."""
    rounded: npt.NDArray[np.float64] = np.round(prices / TICK) / round(1 / TICK)
    return rounded


def _kept_near(path: Floats) -> Floats:
    """The walk folded back into -0.5 to 0.5: a million steps stay at prices of 60 to 165."""
    folded: npt.NDArray[np.float64] = np.abs((path + 0.5) % 2.0 - 1.0) - 0.5
    return folded
