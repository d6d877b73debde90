"""Judge: the exact bars and indicator values behind two answers that differ, from what is stored.

1. Windows (``WINDOWED``) are judged on their own window, a VWAP on the bars since its anchor, an indicator of the
   user's own on the whole series.
2. A recursion is begun where what was before weighs less than ``FORGOTTEN``; that much is added to the bound. RSI, a
   ratio of two recursions that may both have decayed, is begun that far before the last move.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property

import numpy as np

from candlewick.aggregation.batch import aggregate
from candlewick.bars import Bars
from candlewick.candles import Candles
from candlewick.columnar import Integers
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
from candlewick.indicators.exact import ROUNDING, Exact, ExactBars
from candlewick.indicators.indicator import SOURCES
from candlewick.indicators.vwap import ANCHORS
from candlewick.service.classic_bars import candle_close
from candlewick.sessions.calendar import Calendar
from candlewick.sessions.table import DAY, Periods
from candlewick.store.repository import CandleRepository
from candlewick.timeframe import Timeframe

WINDOWED = (SMA, WMA, StandardDeviation, Bollinger, PercentB, Stochastic, TrueRange)
"""Kinds whose value is of the last ``warm_up + 1`` bars alone."""
RECURSIVE = (EMA, ATR, MACD)
FORGOTTEN = 1e-40
LEAST = 1e-300
"""No weight is taken smaller: there are no digits below."""
SPAN = 1_000
"""Bars that one judgement of a recursion reaches over: exact arithmetic takes a tenth of a millisecond for each."""
PIECES = 4
"""Judgements of a recursion for one column; points out of their reach are left to the next answer."""


class Judge:
    """What is true of one series of bars in a store. Reads when asked, and then once."""

    def __init__(
        self, store: CandleRepository, bars: Bars, source: Timeframe, zero_volume: str, complete_until: int | None
    ) -> None:
        self._store = store
        self._symbol, self._timeframe, self._calendar = bars.symbol, bars.timeframe, bars.calendar
        self._source, self._zero_volume, self._complete_until = source, zero_volume, complete_until

    def unchanged(self, revision: int, before: int) -> bool:
        """True when no candle before that time was written to since the revision."""
        changed = self._store.first_changed(self._symbol, self._source, revision)
        return changed is None or changed >= before

    def end(self, time: int) -> int:
        """Where the bar that opens at ``time`` ends."""
        bucket = bucket_at(self._calendar, self._timeframe, time)
        return time + 1 if bucket is None else bucket[0]

    def bar(self, time: int) -> dict[str, Exact] | None:
        """The bar that opens at ``time`` with its candles counted (``n``), and ``end``; None when there is none."""
        bucket = bucket_at(self._calendar, self._timeframe, time)
        if bucket is None:
            return None
        end, periods = bucket
        rows = self._rows(self._store.read(self._symbol, self._source, time, end), periods)
        if not rows:
            return None
        volume = sum((row["volume"] for row in rows), Fraction(0))
        return {
            "open": Exact(rows[0]["open"], 0.0),
            "high": Exact(max(row["high"] for row in rows), 0.0),
            "low": Exact(min(row["low"] for row in rows), 0.0),
            "close": Exact(rows[-1]["close"], 0.0),
            "volume": Exact(volume, len(rows) * ROUNDING * float(volume)),
            "n": Exact(Fraction(len(rows)), 0.0),
            "end": Exact(Fraction(end), 0.0),
        }

    def final(self, end: int) -> bool | None:
        """Whether a bar that ends there was final when the answers were made; None when that may have changed since."""
        if self._complete_until is not None:
            return end <= self._complete_until
        series = self._store.find(self._symbol, self._source)
        if self._close_of(series.last) < end:
            return False
        # No day up to this one was written to since; what is stored of later days may be new.
        day = self._store.read(self._symbol, self._source, None, ((end - 1) // DAY + 1) * DAY)
        return True if len(day) and self._close_of(int(day.microseconds[-1])) >= end else None

    def values(self, indicator: Indicator, times: Integers) -> dict[int, list[Exact | None]]:
        """Each column's exact value at these bars by time, the most important given first; some may be left out."""
        at = dict(zip(self._bars.microseconds.tolist(), range(len(self._bars)), strict=True))
        left = {at[time]: time for time in times.tolist() if time in at}
        found: dict[int, list[Exact | None]] = {}
        span, pieces = (1, len(left)) if isinstance(indicator, WINDOWED) else (SPAN, PIECES)
        for _ in range(pieces):
            if not left:
                break
            first = next(iter(left))
            rows = sorted(row for row in left if first <= row < first + span)
            for row, truths in zip(
                rows, self._exact(indicator, begin_of(indicator, self._bars, first), rows), strict=True
            ):
                found[left.pop(row)] = truths
        return found

    @cached_property
    def _bars(self) -> Bars:
        candles = self._store.read(self._symbol, self._source)
        return aggregate(candles, self._timeframe, zero_volume=self._zero_volume)

    def _exact(self, indicator: Indicator, first: int, rows: list[int]) -> list[list[Exact | None]]:
        part = self._bars.rows(first, rows[-1] + 1)
        exact = indicator.exact(ExactBars.of({name: getattr(part, name) for name in SOURCES}, list(part.anchor)))
        found = [[column[row - first] for column in exact] for row in rows]
        if first == 0 or not isinstance(indicator, RECURSIVE):
            return found
        unseen = 2 * FORGOTTEN * size_of(indicator, self._bars)
        return [[truth and Exact(truth.value, truth.bound + unseen) for truth in truths] for truths in found]

    def _rows(self, candles: Candles, periods: Periods) -> list[dict[str, Fraction]]:
        """The candles that count in these periods, exactly."""
        kept = []
        for time, *values in zip(
            candles.microseconds.tolist(), *(getattr(candles, name).tolist() for name in SOURCES), strict=True
        ):
            row = dict(zip(SOURCES, map(Fraction, values), strict=True))
            inside = any(begin <= time < end for begin, end in zip(periods.open, periods.close, strict=True))
            untraded = row["volume"] == 0 and row["open"] == row["high"] == row["low"] == row["close"]
            if inside and not (untraded and self._zero_volume == "drop"):
                kept.append(row)
        return kept

    def _close_of(self, time: int) -> int:
        """When the stored candle that opened at ``time`` is over."""
        return candle_close(self._calendar, self._source, time)


def begin_of(indicator: Indicator, bars: Bars, row: int, weight: float = FORGOTTEN) -> int:
    """The row from which on the exact form is computed for values from ``row`` on, so that in a recursion what was
    before weighs less than ``weight``."""
    back: int
    match indicator:
        case EMA(period=n):
            back = n + reach(2 / (n + 1), weight)
        case ATR(period=n):
            back = n + 1 + reach(1 / n, weight)
        case MACD(slow=slow, signal=signal):
            back = slow + signal + reach(2 / (slow + 1), weight) + reach(2 / (signal + 1), weight)
        case RSI(period=n, source=source):
            moves = np.abs(np.diff(getattr(bars, source)[: row + 1]))
            moved = np.flatnonzero(moves)
            if not len(moved):
                return 0
            share = float(moves[moved[-1]]) / n / size_of(indicator, bars)
            back = row - int(moved[-1]) + n + 1 + reach(1 / n, max(weight * share, LEAST))
        case VWAP(anchor=anchor):
            starts = np.flatnonzero(bars.anchor[: row + 1] & ANCHORS[anchor])
            return int(starts[-1]) if len(starts) else 0
        case _:
            back = indicator.warm_up if isinstance(indicator, WINDOWED) else row
    return max(0, row - back)


def size_of(indicator: Indicator, bars: Bars) -> float:
    """The largest size in the series of what an indicator reads."""
    return max(float(np.abs(getattr(bars, name)).max()) for name in indicator.reads)


def reach(factor: float, weight: float = FORGOTTEN) -> int:
    """Steps after which what was before weighs less than ``weight`` in an exponential average of this factor."""
    return 0 if factor >= 1 else math.ceil(math.log(weight) / math.log1p(-factor))


def bucket_at(calendar: Calendar, timeframe: Timeframe, time: int) -> tuple[int, Periods] | None:
    """End and periods of the bucket that opens at ``time``; None when none does."""
    periods = calendar.periods(time, time + 1, timeframe.span)
    if not len(periods):
        return None
    begin, finish = int(periods.open[0]), int(periods.close[-1])
    if not timeframe.intraday:
        return (finish, periods) if time == begin else None
    if (time - begin) % timeframe.microseconds:
        return None
    return min(time + timeframe.microseconds, finish), periods
