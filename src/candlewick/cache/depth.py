"""Depth: from which time on a view keeps bars, since most questions are about the end of a series. Pure."""

from __future__ import annotations

from candlewick.sessions.table import DAY
from candlewick.store.repository import Series
from candlewick.timeframe import Span, Timeframe

FEWEST = 2048
"""Bars kept from the end, about, however short the range asked for: 5 sessions of 1m, a month of 5m."""

TIMES = 2
"""A range that reaches further back than what is kept makes this many times its length kept: to page back through a
long series one page at a time must not build it anew with each page."""

YESTERDAY = 2 * DAY
"""Kept in time, whatever the bars: vendors correct yesterday most, and the UTC day of what is a day back may have begun
two days back. Matters where a day has more than a thousand bars: 1m of a market that never closes."""

SPARE = 4
"""Bars kept before that: what a correction touched begins again at a bar that is unchanged for certain."""

_SPACING = {Span.SESSION: DAY, Span.WEEK: 7 * DAY, Span.MONTH: 31 * DAY}


def first_kept(record: Series, timeframe: Timeframe, low: int | None, fewest: int) -> int | None:
    """From which time on a new view keeps bars for a range that begins at ``low``; None: all of them."""
    return None if low is None else _kept(record, max(record.last - low, _least(record, timeframe, fewest)))


def deeper(record: Series, timeframe: Timeframe, low: int | None, fewest: int, before: int | None) -> int | None:
    """The same for a view that is built anew and kept bars from ``before`` on: never less than that."""
    if low is None or before is None:
        return None
    asked = max(TIMES * (record.last - low), _least(record, timeframe, fewest))
    return _kept(record, max(record.last - before, asked))


def _kept(record: Series, depth: int) -> int | None:
    return None if record.last - depth <= record.first else record.last - depth


def _least(record: Series, timeframe: Timeframe, fewest: int) -> int:
    spacing = _spacing(record, timeframe)
    return max(fewest * spacing, YESTERDAY + SPARE * spacing) if fewest else 0


def _spacing(record: Series, timeframe: Timeframe) -> int:
    """About how far apart the bars of a series are in time."""
    if not timeframe.intraday:
        return _SPACING[timeframe.span]
    candles = (record.last - record.first) // record.rows
    return max(timeframe.microseconds, candles * timeframe.minutes // max(1, record.timeframe.minutes))
