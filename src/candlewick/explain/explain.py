"""explain: one value of a service, and everything that it rests on.

1. The column's name leads to its definition (`column.py`), the time to the bar that opens there.
2. The service is asked for that one value, as anybody is; the store for the series up to that bar. Both must be of the
   same revision: a series that moved between the two is asked again.
3. The value is computed once more, exactly (`recomputed.py`), beside the one that was served.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from candlewick.aggregation.batch import aggregate
from candlewick.bars import Bars
from candlewick.cache.fingerprint import arithmetic_of
from candlewick.errors import HorizonError, InputError, ServiceError
from candlewick.explain.bar_candles import BarCandles
from candlewick.explain.column import Column
from candlewick.explain.explanation import Explanation, Origin, WarmUp
from candlewick.explain.recomputed import recompute
from candlewick.explain.undefined import INFINITE, UNEXPLAINED, why_undefined
from candlewick.indicators import VWAP, Indicator
from candlewick.moments import Moment, moment
from candlewick.service.answer import Answer
from candlewick.service.classic_bars import candle_close
from candlewick.service.judge import WINDOWED, begin_of, bucket_at
from candlewick.service.range import Resolved, resolve_range
from candlewick.service.request import Request
from candlewick.service.served import Served
from candlewick.service.service import AnalyticsService
from candlewick.store.repository import CandleRepository, Snapshot, iso
from candlewick.store.then import known_at

TRIES = 8
"""Times that value and series are read again while the series is written to."""
CANNOT = "cannot be made of the stored candles"


def explain(
    service: AnalyticsService, store: CandleRepository, request: Request, at: Moment, column: str
) -> Explanation:
    """The value of ``column`` at the bar that opens at ``at``, as the service gives it, and where it comes from.

    ``request`` names symbol and timeframe, and source, ``zero_volume``, ``complete_until`` and ``as_of`` where they
    matter; its range and indicators do not. ``column``: ``sma_9``, ``bollinger_20_2p5_upper``, ``vwap_week``, or one of
    a bar's own (``open high low close volume n``). A date as ``at`` means that session's open.

    Raises InputError for a time at which no bar opens (naming the nearest), UnknownNameError for a column that there is
    not (naming the nearest), ServiceError while the series is rewritten all the time, and what the service raises.
    """

    def ask(asked: Request) -> Served:
        answer = service.candles(asked)
        return Served(answer, "explicit", False, answer.seconds)

    return explain_served(ask, store, request, at, column)


def explain_served(
    ask: Callable[[Request], Served], store: CandleRepository, request: Request, at: Moment, column: str
) -> Explanation:
    """``explain`` for a value that ``ask`` gives, with the arm in which it was counted."""
    meant = Column.of(column)
    store = known_at(store, request.as_of)
    for _ in range(TRIES):
        found = _look(ask, store, request, at, meant)
        if found is not None:
            return _told(found, meant)
    raise ServiceError(f"explain: {request.symbol} is written to without a pause; ask again")


@dataclass(frozen=True, eq=False)
class _Found:
    """A served value with the series up to its bar, of one moment."""

    request: Request
    served: Served
    snapshot: Snapshot
    made: BarCandles
    row: int


def _look(
    ask: Callable[[Request], Served], store: CandleRepository, request: Request, at: Moment, column: Column
) -> _Found | None:
    """The value and its series; None when the series was written to in between."""
    open_ended = replace(request, start=None, end=None, final_only=False)
    resolved = resolve_range(store, open_ended)
    time, end = _bucket(store, resolved, request, at)
    indicators = () if column.indicator is None else (column.indicator,)
    served = ask(replace(open_ended, start=time, end=time + 1, indicators=indicators))
    source = resolved.series.timeframe
    snapshot = resolved.seen(store).snapshot(request.symbol, source, None, end)
    if snapshot.series.revision != resolved.series.revision or served.answer.splits != resolved.splits:
        return None
    until = request.complete_until
    if until is None:
        until = candle_close(resolved.calendar, source, snapshot.series.last)
    bars = aggregate(snapshot.candles, request.timeframe, zero_volume=request.zero_volume, complete_until=until)
    if not len(bars) or int(bars.microseconds[-1]) != time:
        raise _no_bar(store, resolved, request, at, time)
    if not len(served.answer.bars):
        raise ServiceError(f"engine {served.answer.engine}: has no bar at {iso(time)}, where there is one")
    made = BarCandles.between(snapshot.candles, bars, request.zero_volume)
    return _Found(request, served, snapshot, made, len(bars) - 1)


def _told(found: _Found, column: Column) -> Explanation:
    answer, made, row = found.served.answer, found.made, found.row
    series, candles, bars = found.snapshot.series, found.snapshot.candles, made.bars
    raw = _raw(answer, column)
    value = raw if math.isfinite(raw) else None
    one = column.indicator
    again = recompute(column, made.of(row), bars, row, value, engine=answer.engine)
    present = row + 1
    undefined = None
    if math.isinf(raw):
        undefined = INFINITE
    elif value is None and again.value is not None:
        undefined = UNEXPLAINED
    elif value is None and again.note is not None and present >= column.needed:
        undefined = f"not known, since the exact value is {again.note}"
    elif value is None:
        undefined = why_undefined(column, bars, row)
    return Explanation(
        symbol=found.request.symbol,
        timeframe=str(found.request.timeframe),
        column=column.name,
        at=int(bars.microseconds[row]),
        value=value,
        undefined=undefined,
        engine=answer.engine,
        arm=found.served.arm,
        fallback=found.served.fallback,
        cache=answer.cache,
        revision=answer.revision,
        fingerprint=answer.fingerprint,
        kernel=_kernel(answer.engine, column),
        definition=column.definition,
        series=Origin(
            source=str(series.timeframe),
            calendar=series.calendar,
            calendar_version=bars.calendar.version,
            timezone=bars.calendar.timezone,
            zero_volume=found.request.zero_volume,
            first=series.first,
            candles=len(candles),
            bars=present,
            revision=series.revision,
            generation=series.generation,
            splits=tuple(one.as_dict() for one in answer.splits),
        ),
        bar=replace(made.told(row), final=bool(answer.bars.final[0])),
        warm_up=WarmUp(column.needed, present, present >= column.needed),
        window=made.window(_window_begin(one, column.needed, bars, row), row),
        recomputed=again,
    )


def _raw(answer: Answer, column: Column) -> float:
    """The served value, NaN where undefined."""
    name = column.name
    values = getattr(answer.bars, name) if column.indicator is None else answer.indicators[name]
    return float(values[0])


def _kernel(engine: str, column: Column) -> str:
    """What computed the value, with its version."""
    if engine == "classic":
        import pandas as pd

        return f"pandas {pd.__version__}"
    return arithmetic_of(() if column.indicator is None else (column.indicator,))


def _window_begin(indicator: Indicator | None, needed: int, bars: Bars, row: int) -> int:
    """The first bar that the value is made of."""
    if indicator is None:
        return row
    if isinstance(indicator, WINDOWED):
        return max(0, row + 1 - needed)
    return begin_of(indicator, bars, row) if isinstance(indicator, VWAP) else 0


def _bucket(store: CandleRepository, resolved: Resolved, request: Request, at: Moment) -> tuple[int, int]:
    """Open and end of the bucket meant by ``at``. Raises InputError where none opens."""
    time = moment(at, "at", labels=resolved.calendar.label_opens)
    try:
        found = bucket_at(resolved.calendar, request.timeframe, time)
    except HorizonError as error:  # it speaks of times in general
        raise HorizonError("at", _shown(at, time), error.expected, error.problem) from error
    if found is None:
        raise _no_bar(store, resolved, request, at, time)
    return time, found[0]


def _no_bar(store: CandleRepository, resolved: Resolved, request: Request, at: Moment, time: int) -> InputError:
    """The error for a time at which no bar opens: it names the bars around it."""
    candles = store.read(request.symbol, resolved.series.timeframe)
    times = aggregate(candles, request.timeframe, zero_volume=request.zero_volume).microseconds
    place = int(np.searchsorted(times, time))
    near = [iso(int(one)) for one in times[max(0, place - 1) : place + 1]]
    if not near:
        return InputError("at", _shown(at, time), f"{request.symbol} has no bars of {request.timeframe}", CANNOT)
    expected = f"the nearest bar{'s open' if len(near) > 1 else ' opens'} at {' and '.join(near)}"
    return InputError("at", _shown(at, time), expected, f"is not the open of a {request.timeframe} bar")


def _shown(at: Moment, time: int) -> str:
    return at if isinstance(at, str) else iso(time)
