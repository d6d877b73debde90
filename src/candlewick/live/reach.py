"""Reach: where to begin reading, by the sessions of a calendar. Pure."""

from __future__ import annotations

from candlewick.aggregation.edges import Edges
from candlewick.errors import HorizonError
from candlewick.sessions.calendar import find_calendar
from candlewick.store.history import DAY
from candlewick.store.repository import Series
from candlewick.timeframe import Span, Timeframe

LENGTH = {Span.SESSION: DAY, Span.WEEK: 7 * DAY, Span.MONTH: 31 * DAY}


def reach_back(series: Series, timeframe: Timeframe, bars: int) -> int | None:
    """From when on there is room for ``bars`` bars up to the newest candle; None: only the whole series may do.

    There may be fewer bars, where buckets have no candles.
    """
    calendar = find_calendar(series.calendar)
    end = series.last + 1
    span = bars * (timeframe.microseconds or LENGTH[timeframe.span])
    while (start := end - span) > series.first:
        try:
            if Edges.between(calendar, timeframe, start, end).most(start, end) > bars:  # the first may be cut
                return start
        except HorizonError:
            return None
        span *= 2
    return None


def bar_at(series: Series, timeframe: Timeframe, time: int) -> int:
    """The open of the bar that a candle at ``time`` or later may be in; ``time`` where none holds it."""
    try:
        edges = Edges.between(find_calendar(series.calendar), timeframe, time, time + 1)
    except HorizonError:
        return time
    if timeframe.intraday:
        found = edges.bucket(time)
        return time if found is None else found[0]
    place = edges.place(time)
    return time if place == len(edges.table) else min(time, int(edges.groups.open[place]))


def end_of(series: Series, timeframe: Timeframe, opened: int) -> int | None:
    """When the bar that opened then is over; None when no session of the calendar holds it."""
    try:
        found = Edges.between(find_calendar(series.calendar), timeframe, opened, opened + 1).bucket(opened)
    except HorizonError:
        return None
    return None if found is None else found[1]
