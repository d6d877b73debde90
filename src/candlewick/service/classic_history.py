"""How far before a range the classic engine reads, so that what it leaves out is smaller than 1e-12 of the scale.

1. Each indicator needs a number of bars: a window its length, a recursion until its seed has decayed (``bars_needed``),
   a VWAP all bars since its anchor, or of the series.
2. That number is turned into a time by walking the buckets of the calendar back from the range's start.
3. A bucket without a candle makes no bar, so what was read may hold fewer: ``enough`` says, and the caller asks for
   twice as many. When the series begins before, it is read from its first candle, and every seed is the true one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlewick.indicators import ATR, EMA, MACD, RSI, VWAP, Indicator
from candlewick.service.classic_bars import Buckets, group_keys
from candlewick.service.classic_indicators import SPANS
from candlewick.sessions.calendar import Calendar
from candlewick.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

DECAYED = 1e-15
"""Weight of a seed that no longer counts: 1e-12, and a thousandth for prices that were larger before (splits)."""
SHARE_DECAYED = 1e-20
"""The same for RSI, whose gains and losses are small against the price; ``enough`` checks what this assumes."""
SHARE_ERROR = 1e-13
"""Share of RSI's scale that its seed may still move."""


def decay(factor: float, weight: float = DECAYED) -> int:
    """Steps until an exponential average of this factor has forgotten its seed down to ``weight``."""
    return 0 if factor >= 1 else math.ceil(math.log(weight) / math.log1p(-factor))


def bars_needed(indicator: Indicator) -> int:
    """Bars before the first one asked for; a VWAP's are found by its anchor instead."""
    match indicator:
        case EMA(period=n):
            return n + decay(2 / (n + 1))
        case RSI(period=n):
            return n + 1 + decay(1 / n, SHARE_DECAYED)
        case ATR(period=n):
            return n + 1 + decay(1 / n)
        case MACD(slow=slow, signal=signal):
            return slow + signal + decay(2 / (slow + 1)) + decay(2 / (signal + 1))
    return indicator.warm_up


def read_start(
    indicators: tuple[Indicator, ...], calendar: Calendar, timeframe: Timeframe, first: int, low: int, times: int = 1
) -> int:
    """Where to begin reading for bars from ``low`` on; ``first`` when the series begins before all that is needed.

    ``times``: how many times the bars needed to go back, once it is known that not every bucket holds a bar.
    """
    if low <= first:
        return first
    needed = max((bars_needed(one) for one in indicators), default=0)
    start = _buckets_back(calendar, timeframe, first, low, needed * times) if needed else low
    for one in indicators:
        if isinstance(one, VWAP):
            start = min(start, _anchor_start(one, calendar, timeframe, first, low))
    return max(first, start)


def enough(indicators: tuple[Indicator, ...], bars: pd.DataFrame, low: int) -> bool:
    """True when ``bars``, read from before ``low`` on, hold the history that the indicators need there."""
    row = int(bars["time"].searchsorted(low))
    if row == len(bars):
        return True
    return all(bars_needed(one) <= row and (not isinstance(one, RSI) or _moved(one, bars, row)) for one in indicators)


def _moved(rsi: RSI, bars: pd.DataFrame, row: int) -> bool:
    """True when the values moved enough, between seed and ``row``, for gains and losses to outweigh the seed.

    One move of size d at bar s leaves factor x d x (1 - factor)^(t - s) at every bar t from there on, and the seed at
    most size x (1 - factor)^(t - seed): both decay alike, so one such move settles all bars after it, and a stretch
    without moves settles none.
    """
    if rsi.period == 1:
        return True
    factor = 1 / rsi.period
    values = bars[rsi.source].to_numpy()[: row + 1]
    moves = np.abs(np.diff(values))[rsi.period :]
    weight = (1 - factor) ** np.arange(1, len(moves) + 1)
    return bool((factor * moves * SHARE_ERROR >= weight * np.abs(values).max()).any())


def _buckets_back(calendar: Calendar, timeframe: Timeframe, first: int, low: int, count: int) -> int:
    """Start of the ``count``-th bucket before ``low``; ``first`` when there are fewer after it."""
    buckets = Buckets.of(calendar, timeframe, first, low)
    opens, step = buckets.periods.open, buckets.step
    if not step:
        begins = np.unique(buckets.begin)
        return int(begins[-count]) if count <= len(begins) else first
    until = np.minimum(buckets.periods.close, low)
    after = np.cumsum((-(-(until - opens) // step))[::-1])[::-1]  # buckets in this period and those after it
    place = int(np.count_nonzero(after >= count)) - 1
    return first if place < 0 else int(opens[place] + (after[place] - count) * step)


def _anchor_start(vwap: VWAP, calendar: Calendar, timeframe: Timeframe, first: int, low: int) -> int:
    """Start of the bucket that holds the open of the session, week or month of ``low``; ``first`` for the series."""
    if vwap.anchor not in SPANS:
        return first
    sessions = calendar.periods(first, low + 1)
    if not len(sessions):
        return low
    key = group_keys(sessions.label, SPANS[vwap.anchor])
    start = int(sessions.open[np.searchsorted(key, key[-1])])
    if timeframe.intraday:
        return start
    return int(Buckets.of(calendar, timeframe, start, start + 1).begin[0])
