"""Requests: what the checks ask about the store's own series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from candlewick.indicators import PRESETS
from candlewick.service.request import Request
from candlewick.store.repository import Series
from candlewick.timeframe import Timeframe

TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo")
SETS = (
    PRESETS["desk"],
    "macd(12,26,9) stochastic(14,3,3) percent_b(20,2) stddev(10) wma(9) true_range",
    "vwap(week) vwap(month) vwap(first) sma(3,high) ema(21,low) bollinger(7,1.5)",
)
"""Every kind of indicator, with usual and with odd parameters."""


def timeframes_of(one: Series) -> list[Timeframe]:
    """The series' own timeframe and the usual ones that are made of it, finest first."""
    lengths = {one.timeframe, *(Timeframe.parse(text) for text in TIMEFRAMES)}
    return sorted(length for length in lengths if one.timeframe.divides(length))


def own_requests(series: Iterable[Series], sets: Sequence[str] = SETS) -> list[Request]:
    """Every series at each of its timeframes with each set, as a whole and the last quarter of its time.

    The quarter is where V1 leaves out the history that no longer counts.
    """
    found = []
    for one in series:
        late = one.last - (one.last - one.first) // 4
        for length in timeframes_of(one):
            for specs in sets:
                for start in (None, late):
                    found.append(Request.of(one.symbol, length, specs, start=start, source=one.timeframe))
    return found


def chosen(requests: Sequence[Request], most: int) -> list[Request]:
    """At most ``most`` of them, evenly spread."""
    if len(requests) <= most:
        return list(requests)
    return [requests[place * len(requests) // most] for place in range(most)]
