"""Range: what a request is about in a store, for both engines: the series that serves it and its bounds in time."""

from __future__ import annotations

from dataclasses import dataclass

from candlewick.aggregation.batch import check_timeframes
from candlewick.aggregation.edges import Edges
from candlewick.engine.query import source_of
from candlewick.errors import HorizonError, InputError
from candlewick.service.request import Request
from candlewick.sessions.calendar import Calendar, find_calendar
from candlewick.store.adjusted import adjusted_view
from candlewick.store.repository import CandleRepository, Series, bounds
from candlewick.store.splits import Split
from candlewick.timeframe import Timeframe


@dataclass(frozen=True)
class Resolved:
    """The stored series that serves a request, its calendar, and the range: ``low <= time < high``, microseconds UTC.

    None: open on that side. ``splits``: the factors by which its candles are adjusted.
    """

    series: Series
    low: int | None
    high: int | None
    calendar: Calendar
    splits: tuple[Split, ...] = ()

    def seen(self, store: CandleRepository) -> CandleRepository:
        """The store as the request sees it: with the candles of its symbol adjusted by these factors."""
        return adjusted_view(store, {self.series.symbol: self.splits})

    def settles(self, timeframe: Timeframe) -> int | None:
        """Before when every candle lies that can be in a bar of the range; None when it has no end.

        That is the end of the last bucket that begins before ``high``, be there a bar or not: behind ``high`` when it
        lies inside a bucket, at the close before when it lies between two sessions.
        """
        if self.high is None:
            return None
        try:
            end = Edges.between(self.calendar, timeframe, self.high - 1, self.high).end_before(self.high)
        except HorizonError:  # there are no bars beyond what the calendar knows
            return self.high
        return self.high if end is None else end


def resolve_range(store: CandleRepository, request: Request) -> Resolved:
    """Series and range of a request, by the same rules as `engine.query`; a date means the open of that session.

    Raises UnknownSeriesError when nothing is stored of the symbol, InputError when nothing stored serves the timeframe,
    for a time that is none, and for a range that ends before it starts.
    """
    source = source_of(store, request.symbol, request.timeframe, request.source)
    series = store.find(request.symbol, source)
    check_timeframes(source, request.timeframe)
    calendar = find_calendar(series.calendar)
    low, high = bounds(calendar, request.start, request.end)
    if low is not None and high is not None and high < low:
        raise InputError("end", request.end, f"give a time at or after start ({request.start})", "is before start")
    return Resolved(series, low, high, calendar, store.splits_of(request.symbol) if request.adjusted else ())
