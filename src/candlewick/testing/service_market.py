"""The candles that the service contract asks about, and what makes two answers the same."""

from __future__ import annotations

import numpy as np

from candlewick.candles import VALUES, Candles
from candlewick.service.answer import Answer
from candlewick.sources.simulated import simulate

SPECS = "desk"
DAY = 86_400_000_000
SESSIONS = 4


def market(symbol: str = "SIM", sessions: int = SESSIONS, calendar: str = "XNYS") -> Candles:
    """Simulated minutes of some sessions from 2024-01-02 on; the first ones are the same however many are asked for."""
    return next(simulate([symbol], calendar, sessions, seed=3))


def days_of(candles: Candles) -> list[Candles]:
    """The candles of each UTC day; in New York one session."""
    day = candles.microseconds // DAY
    return [candles.between(int(one) * DAY, int(one + 1) * DAY) for one in np.unique(day)]


def corrected(candles: Candles, row: int, by: float = 1.0) -> Candles:
    """One candle with its prices raised."""
    one = candles.rows(row, row + 1)
    values = {name: getattr(one, name) + (by if name != "volume" else 0.0) for name in VALUES}
    return Candles.trusted(one.symbol, one.timeframe, one.calendar, one.microseconds, values)


def same(left: Answer, right: Answer) -> bool:
    """The same columns, bit for bit."""
    a, b = left.columns, right.columns
    return list(a) == list(b) and all(a[name].tobytes() == b[name].tobytes() for name in a)
