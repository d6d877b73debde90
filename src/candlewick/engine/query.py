"""query: bars and indicators of one stored series, cut to a range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from candlewick.aggregation.batch import aggregate
from candlewick.bars import Bars
from candlewick.engine.compute import compute
from candlewick.engine.frame import IndicatorFrame
from candlewick.errors import InputError, UnknownSeriesError
from candlewick.indicators import Specs
from candlewick.moments import Moment, moment
from candlewick.store.adjusted import adjusted_view
from candlewick.store.repository import CandleRepository
from candlewick.store.then import known_at
from candlewick.timeframe import Timeframe


@dataclass(frozen=True)
class Answer:
    """Bars in the asked range, their indicators (None when none were asked for), and the stored timeframe used."""

    bars: Bars
    indicators: IndicatorFrame | None
    source: Timeframe


def query(
    store: CandleRepository,
    symbol: str,
    timeframe: str | Timeframe,
    indicators: Specs | None = None,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    source: str | Timeframe | None = None,
    zero_volume: str = "keep",
    final_only: bool = False,
    complete_until: Moment | None = None,
    as_of: Moment | None = None,
    adjusted: bool = False,
) -> Answer:
    """Bars with ``start <= time < end`` and their indicators, which are computed over the whole stored series.

    So a value never depends on the range asked for. ``as_of``: made of what was known at that moment. ``adjusted``: of
    candles adjusted by the split factors that the store keeps now. Raises UnknownSeriesError when nothing stored
    serves, InputError for a range that ends before it starts, and whatever ``aggregate`` and ``compute`` raise.
    """
    length = Timeframe.parse(timeframe)
    store = known_at(store, as_of)
    if adjusted:
        store = adjusted_view(store)
    found = source_of(store, symbol, length, None if source is None else Timeframe.parse(source, "source"))
    candles = store.read(symbol, found)
    labels = candles.calendar.label_opens
    until = None if complete_until is None else moment(complete_until, "complete_until", labels=labels)
    bars = aggregate(candles, length, zero_volume=zero_volume, complete_until=until)
    low = None if start is None else moment(start, "start", labels=labels)
    high = None if end is None else moment(end, "end", labels=labels)
    if low is not None and high is not None and high < low:
        raise InputError("end", end, f"give a time at or after start ({start})", "is before start")
    if final_only:
        bars = bars.only_final()
    frame = None if indicators is None else compute(bars, indicators)
    first = 0 if low is None else int(np.searchsorted(bars.microseconds, low))
    last = len(bars) if high is None else int(np.searchsorted(bars.microseconds, high))
    cut = bars.rows(first, last)
    return Answer(cut, None if frame is None else frame.between(first, last), found)


def source_of(store: CandleRepository, symbol: str, timeframe: Timeframe, source: Timeframe | None = None) -> Timeframe:
    """The stored series that serves a timeframe: the one asked for, else its own, else the finest that divides it."""
    stored = [series.timeframe for series in store.series_of(symbol)]
    if not stored:
        raise UnknownSeriesError("symbol", symbol, store.symbols())
    names = ", ".join(str(length) for length in sorted(stored))
    if source is not None:
        if source not in stored:
            raise InputError("source", str(source), f"stored of {symbol} are: {names}", "is not stored")
        return source
    if timeframe in stored:
        return timeframe
    fitting = [length for length in stored if length.divides(timeframe)]
    if not fitting:
        raise InputError("timeframe", str(timeframe), f"stored of {symbol} are: {names}", "cannot be made of these")
    return min(fitting)
