"""Judge: the exact bars and indicator values behind two answers that differ, from what is stored.

Windows (``WINDOWED``) are judged on their own window. A recursion takes the history after which what came before weighs
less than ``FORGOTTEN``, which no float64 value, bound or ratio of them can show; a VWAP all bars since its anchor; an
indicator of the user's own the whole series.
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
FORGOTTEN = 1e-300
SPAN = 20_000
"""Bars that one judgement of a recursion reaches over; points further on are left to the next answer."""


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
        """Each column's exact value at each of these bars (ascending), by time; those out of reach are left out."""
        times = times[np.isin(times, self._bars.microseconds)]
        rows = np.searchsorted(self._bars.microseconds, times)
        if not len(rows):
            return {}
        if isinstance(indicator, WINDOWED):
            return {
                int(at): self._exact(indicator, max(0, int(row) - indicator.warm_up), [int(row)])[0]
                for row, at in zip(rows, times, strict=True)
            }
        near = rows - rows[0] < SPAN
        found = self._exact(indicator, self._origin(indicator, int(rows[0])), [int(row) for row in rows[near]])
        return dict(zip((int(at) for at in times[near]), found, strict=True))

    @cached_property
    def _bars(self) -> Bars:
        candles = self._store.read(self._symbol, self._source)
        return aggregate(candles, self._timeframe, zero_volume=self._zero_volume)

    def _exact(self, indicator: Indicator, first: int, rows: list[int]) -> list[list[Exact | None]]:
        part = self._bars.rows(first, rows[-1] + 1)
        exact = indicator.exact(ExactBars.of({name: getattr(part, name) for name in SOURCES}, list(part.anchor)))
        return [[column[row - first] for column in exact] for row in rows]

    def _origin(self, indicator: Indicator, row: int) -> int:
        """The bar from which on the exact form is computed for a value at ``row``."""
        match indicator:
            case EMA(period=n):
                return max(0, row - n - reach(2 / (n + 1)))
            case RSI(period=n) | ATR(period=n):
                return max(0, row - n - 1 - reach(1 / n))
            case MACD(slow=slow, signal=signal):
                return max(0, row - slow - signal - reach(2 / (slow + 1)) - reach(2 / (signal + 1)))
            case VWAP(anchor=anchor):
                starts = np.flatnonzero(self._bars.anchor[: row + 1] & ANCHORS[anchor])
                return int(starts[-1]) if len(starts) else 0
        return 0

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


def reach(factor: float) -> int:
    """Steps after which an exponential average of this factor has forgotten what was before."""
    return 0 if factor >= 1 else math.ceil(math.log(FORGOTTEN) / math.log1p(-factor))


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
